"""Which pictures of a folder are there to train, to validate and to test with, and of which class each is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._split import set_aside
from quanvolve.data._text import plural, quoted
from quanvolve.data.sources._tree import Tree

PARTS = ("train", "valid", "test")
PART_OF = {
    "train": "train", "training": "train", "val": "valid", "valid": "valid", "validation": "valid", "test": "test",
    "testing": "test",
}  # fmt: skip
"""What folders, tables and their values call the parts of a data set."""


class Labelled(NamedTuple):
    """A picture file and the class that it is of."""

    path: str
    label: str


@dataclass
class Listing:
    """Pictures by part.

    Args:
        parts: the pictures of those parts that there are.
        notes: what was understood, or left out, a line each.
    """

    parts: dict[str, list[Labelled]]
    notes: list[str] = field(default_factory=list)


def unwrapped(tree: Tree) -> Tree:
    """The folder that the classes are in: archives often have one around it, or several."""
    while not tree.pictures and not tree.tables and len(tree.folders) == 1 and tree.folders[0].folders:
        tree = tree.folders[0]
    return tree


def has_classes(tree: Tree) -> bool:
    """Whether the folders inside stand for classes, in one tree or for each part."""
    parts = _parts(tree)
    if parts:
        return any(folder.folders for folder in parts.get("train", []))
    return len(tree.folders) > 1 and not tree.pictures


def by_folders(tree: Tree) -> Listing:
    """Each class a folder.

    Raises:
        DataError: if there are no such folders, or none to train with.
    """
    parts = _parts(tree)
    if not parts:
        only = tree.folders[0] if len(tree.folders) == 1 and not tree.pictures else None
        if only is not None and PART_OF.get(only.name.lower()) == "train" and not only.folders:
            raise _no_classes(only)
        listing = Listing({"train": _classes_in([tree])})
        _tell_of_rest(listing, [tree])
        if not listing.parts["train"]:
            raise DataError(
                f"{quoted(tree.path)} holds {plural(len(tree.pictures), 'picture')} but no folders of classes: put "
                "those of each class into a folder of its own, or a table labels.csv with the columns file and label "
                "beside them"
            )
        return listing
    if "train" not in parts:
        names = " and ".join(repr(folder.name) for folders in parts.values() for folder in folders)
        raise DataError(
            f"{quoted(tree.path)} has {names} but no pictures to train with: add them as 'train', or rename the "
            "folders if they are classes"
        )
    listing = Listing({part: _classes_in(folders) for part, folders in parts.items()})
    for part, folders in parts.items():
        _tell_of_rest(listing, folders)
        if part != "train" and not listing.parts[part]:
            del listing.parts[part]
    if not listing.parts["train"]:
        raise _no_classes(parts["train"][0])
    return listing


def _no_classes(tree: Tree) -> DataError:
    return DataError(
        f"{quoted(tree.path)} holds pictures but no folders of classes: put those of each class into a folder of its "
        "own, or a table labels.csv with the columns file and label beside them"
    )


def _parts(tree: Tree) -> dict[str, list[Tree]]:
    """The folders of each part, where all that hold pictures are such folders."""
    names = [PART_OF.get(folder.name.lower()) for folder in tree.folders]
    if not names or None in names or tree.pictures:
        return {}
    if names == ["train"] and not tree.folders[0].folders:
        return {}
    return {
        part: [folder for folder, name in zip(tree.folders, names, strict=True) if name == part]
        for part in PARTS
        if part in names
    }


def _classes_in(folders: Iterable[Tree]) -> list[Labelled]:
    return [Labelled(path, kind.name) for folder in folders for kind in folder.folders for path in kind.all_pictures()]


def _tell_of_rest(listing: Listing, folders: Iterable[Tree]) -> None:
    for folder in folders:
        if folder.pictures and folder.folders:
            listing.notes.append(
                f"left out {plural(len(folder.pictures), 'picture')} in {quoted(folder.path)} itself, which are in no "
                "folder of a class"
            )
        elif folder.pictures and PART_OF.get(folder.name.lower()) not in (None, "train"):
            listing.notes.append(
                f"left out {plural(len(folder.pictures), 'picture')} in {quoted(folder.path)}, which has no folders of "
                "classes"
            )
        if folder.empty:
            names = ", ".join(map(repr, folder.empty[:3])) + (", ..." if len(folder.empty) > 3 else "")
            listing.notes.append(f"no picture in {names} in {quoted(folder.path)}")


def with_test(listing: Listing, asked: Asked) -> Listing:
    """The same, where part of the training pictures of each class becomes the test set if there is none.

    Raises:
        DataError: if there is one training picture only.
    """
    if "test" in listing.parts:
        return listing
    whole = listing.parts["train"]
    if len(whole) < 2:
        raise DataError(f"{quoted(whole[0].path)} is the only picture, expected at least 2, to train and to test with")
    test = set_aside(np.array([picture.label for picture in whole]), asked.seed, asked.test_fraction)
    parts = {
        **listing.parts,
        "train": [picture for picture, is_test in zip(whole, test, strict=True) if not is_test],
        "test": [picture for picture, is_test in zip(whole, test, strict=True) if is_test],
    }
    told = f"no test set: {asked.test_fraction:.0%} of each class were set aside as one (seed {asked.seed})"
    return replace(listing, parts=parts, notes=[*listing.notes, told])


def labels_of(texts: Iterable[str]) -> NDArray[Any]:
    """Names of classes as labels: whole numbers where all of them are such, else text."""
    names = list(texts)
    if all(re.fullmatch(r"0|-?[1-9][0-9]{0,17}", name) for name in set(names)):
        return np.array(names, dtype=np.int64)
    return np.array(names)
