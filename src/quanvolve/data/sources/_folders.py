"""Pictures in folders: a folder for each class, or a table of labels beside them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from quanvolve._errors import DataError
from quanvolve._warn import warn_user
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._pictures import read_pictures
from quanvolve.data._text import plural, quoted, reason
from quanvolve.data.sources._labels import by_tables, find_tables
from quanvolve.data.sources._listing import PARTS, Listing, by_folders, has_classes, labels_of, unwrapped, with_test
from quanvolve.data.sources._tree import Tree, has_pictures, read_tree

_MOST_FAULTY = 0.1
"""Share of the files that may be damaged and are then left out; with more, something else is wrong."""


class Folders:
    """`CLASS/*.png` and the like, in one tree or in `train`, `val` and `test`; or pictures and their `labels.csv`."""

    kind = "a folder of pictures in folders of classes"

    def takes(self, data: Any) -> bool:
        """If a folder has pictures in it or below it."""
        return isinstance(data, Path) and os.path.isdir(data) and has_pictures(data)

    def load(self, data: Any, asked: Asked) -> Dataset:
        """All pictures as uint8, in the same order on every machine.

        Damaged files are left out with a warning, and named in the notes, up to a tenth of all.
        """
        try:
            top = read_tree(data)
        except OSError as error:
            raise DataError(f"{quoted(data)} cannot be read: {reason(error)}") from None
        tree = unwrapped(top)
        listing = with_test(_listed(tree, asked), asked)
        others = tree.all_others()
        if others:
            endings = ", ".join(ending or "no ending" for ending, _ in others.most_common(4))
            listing.notes.append(f"passed over {plural(others.total(), 'file')} of other kinds ({endings})")
        if tree is not top:
            listing.notes.insert(0, f"the classes are in {quoted(tree.path)}")
        return _dataset(Path(os.path.abspath(data)).name, data, listing, asked)


def _listed(tree: Tree, asked: Asked) -> Listing:
    if tree.tables and (asked.label is not None or not has_classes(tree)):
        return by_tables(tree, find_tables(tree, asked), asked)
    if asked.label is not None:
        raise DataError(
            f"`label={asked.label}` names a column, but {quoted(tree.path)} has no table with columns: leave it out "
            "where folders are the classes"
        )
    listing = by_folders(tree)
    if tree.tables:
        listing.notes.append(f"the folders are the classes: {', '.join(map(repr, tree.tables[:3]))} is not looked at")
    return listing


def _dataset(name: str, where: Any, listing: Listing, asked: Asked) -> Dataset:
    # One after the other, the parts are pieces of one array.
    ordered = [(part, picture) for part in PARTS for picture in listing.parts.get(part, ())]
    pictures = read_pictures([picture.path for _, picture in ordered], asked)
    faults = pictures.faults
    if faults:
        _tell_of_faults(where, len(ordered), faults)
    part_of = np.array([part for part, _ in ordered])[pictures.read]
    labels = labels_of(picture.label for _, picture in ordered)[pictures.read]
    arrays, targets = {}, {}
    for part in PARTS:
        rows = np.flatnonzero(part_of == part)
        if len(rows):
            span = slice(int(rows[0]), int(rows[-1]) + 1)
            arrays[part], targets[part] = pictures.array[span], labels[span]
    for part, use in (("train", "train"), ("test", "test")):
        if part not in arrays:
            raise DataError(f"no picture in {quoted(where)} is left to {use} with: {faults[0]}")
    return Dataset(
        name,
        arrays["train"],
        targets["train"],
        arrays["test"],
        targets["test"],
        tuple(str(kind) for kind in np.unique(labels)),
        valid_images=arrays.get("valid"),
        valid_labels=targets.get("valid"),
        preparation=pictures.preparation,
        notes=(*listing.notes, *pictures.notes, *(f"left out: {fault}" for fault in faults)),
    )


def _tell_of_faults(where: Any, total: int, faults: tuple[str, ...]) -> None:
    told = f"{len(faults):,} of {plural(total, 'picture')} in {quoted(where)} cannot be used"
    if len(faults) > max(1, _MOST_FAULTY * total):
        raise DataError(f"{told}, the first: {faults[0]}")
    more = "" if len(faults) == 1 else ", and so on; the notes of the data set name all"
    warn_user(f"{told}, and are left out: {faults[0]}{more}")
