"""The rooms inside `circuits`: who may import whom, and which files know PennyLane."""

from pathlib import Path

import pytest

from tests.test_package import SOURCE, imports_of

CIRCUITS = SOURCE / "circuits"
ROOMS: dict[str, set[str]] = {
    "description": set(),
    "catalogue": {"description"},
    "capture": {"description"},
    "noise": {"description", "capture"},
    "draw": {"description", "capture"},
    "write": {"description"},
}
OF_PENNYLANE = ("capture/", "draw/_text.py", "noise/_pennylane.py")
FILES = sorted(CIRCUITS.rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(CIRCUITS).as_posix()


def test_all_files_are_in_a_room() -> None:
    assert {path.parent.name for path in FILES if path.parent != CIRCUITS} == set(ROOMS)
    assert [path.name for path in FILES if path.parent == CIRCUITS] == ["__init__.py"]


@pytest.mark.parametrize("path", [path for path in FILES if path.parent != CIRCUITS], ids=_name)
def test_arrows_point_one_way(path: Path) -> None:
    room = path.parent.name
    others = [name.split(".")[2:] for name in imports_of(path) if name.startswith("quanvolve.circuits")]
    assert [] not in others, "it imports the room that it is in"
    foreign = [other for other in others if other[0] != room]
    assert {other[0] for other in foreign} <= ROOMS[room]
    # From each other they take what is exported.
    assert not [other for other in foreign if len(other) > 1 and other[1].startswith("_")]


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_few_files_know_pennylane(path: Path) -> None:
    knows = any(name.split(".")[0] == "pennylane" for name in imports_of(path))
    assert not knows or _name(path).startswith(OF_PENNYLANE)
