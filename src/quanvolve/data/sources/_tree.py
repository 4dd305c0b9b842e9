"""A folder and what is in it: pictures, tables, further folders, and what is neither."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from quanvolve.data._open import FORMATS

_TABLES = (".csv", ".tsv")
_SYSTEM = frozenset(("__macosx", "thumbs.db", "desktop.ini"))
_MOST_LOOKED_AT = 10_000
"""Entries of a folder that are looked at to tell whether there are pictures."""


@dataclass
class Tree:
    """A folder with all that is below it.

    Args:
        path: of the folder.
        pictures: names of picture files, by their endings, in order.
        tables: names of tables of text.
        folders: the folders inside, in the order of their names; those that hold nothing are left out.
        empty: names of folders inside that hold no picture.
        others: how many files have another ending, by ending.
    """

    path: str
    pictures: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    folders: list[Tree] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """Its own name, without those of the folders above."""
        return os.path.basename(self.path)

    def all_pictures(self) -> Iterator[str]:
        """The paths of all pictures in it and below it."""
        for name in self.pictures:
            yield os.path.join(self.path, name)
        for folder in self.folders:
            yield from folder.all_pictures()

    def all_others(self) -> Counter[str]:
        """How many files have another ending, in it and below it."""
        return sum((folder.all_others() for folder in self.folders), self.others)


def read_tree(path: str | os.PathLike[str]) -> Tree:
    """Look through a folder; hidden files and what systems leave behind are passed over.

    Raises:
        OSError: if it cannot be read.
    """
    return _read(os.fspath(path), frozenset())


def _read(path: str, above: frozenset[tuple[int, int]]) -> Tree:
    tree, folders = Tree(path), []
    status = os.stat(path)
    here = above | {(status.st_dev, status.st_ino)}
    with os.scandir(path) as entries:
        for entry in entries:
            if _is_passed_over(entry.name):
                continue
            if entry.is_dir():
                folders.append(entry)
            elif entry.is_file():  # not a pipe, whose reading need not end
                ending = os.path.splitext(entry.name)[1].lower()
                if ending in FORMATS:
                    tree.pictures.append(entry.name)
                elif ending in _TABLES:
                    tree.tables.append(entry.name)
                else:
                    tree.others[ending] += 1
    tree.pictures.sort()
    tree.tables.sort()
    for entry in sorted(folders, key=lambda entry: entry.name):
        status = entry.stat()
        if (status.st_dev, status.st_ino) in here:
            continue  # a link to a folder that it is in
        below = _read(entry.path, here)
        if below.pictures or below.folders:
            tree.folders.append(below)
        else:
            tree.empty.append(entry.name)
            tree.others += below.others
    return tree


def has_pictures(folder: Path) -> bool:
    """Whether there are pictures in a folder or below it, as far as a short look tells."""
    pending, looked_at = [os.fspath(folder)], 0
    while pending and looked_at < _MOST_LOOKED_AT:
        try:
            with os.scandir(pending.pop(0)) as entries:
                for entry in itertools.islice(entries, _MOST_LOOKED_AT - looked_at):
                    looked_at += 1
                    if _is_passed_over(entry.name):
                        continue
                    if os.path.splitext(entry.name)[1].lower() in FORMATS and entry.is_file():
                        return True
                    if entry.is_dir(follow_symlinks=False) or (looked_at < 1000 and entry.is_dir()):
                        pending.append(entry.path)
        except OSError:
            continue
    return False


def _is_passed_over(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM
