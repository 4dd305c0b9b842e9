"""The rooms inside `compile`, and who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import quanvolve.compile

SOURCE = Path(quanvolve.compile.__file__).parent
ROOMS = {
    "tables": set[str](),
    "batch": {"tables"},
    "reference": {"tables", "batch"},
    "kernels": {"tables"},
    "ops": {"tables", "batch", "reference", "kernels"},
    "plans": {"tables", "batch", "reference", "ops"},
    "planner": {"tables", "plans"},
}
"""Each room and those below it that it imports."""
FILES = sorted(SOURCE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Full names of all modules that a file imports, wherever in it."""
    names = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_of(path: Path) -> set[str]:
    prefix = "quanvolve.compile."
    return {name.removeprefix(prefix).split(".")[0] for name in imported(path) if name.startswith(prefix)}


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_point_down_and_are_those_that_are_drawn(room: str) -> None:
    arrows = set[str]().union(*(rooms_of(path) for path in (SOURCE / room).rglob("*.py"))) - {room}
    assert arrows == ROOMS[room]


def test_there_are_few_of_them() -> None:
    found = {path.relative_to(SOURCE).parts[0] for path in FILES} - {"__init__.py"}
    assert found == set(ROOMS)
    assert len(ROOMS) <= 8
    assert sum(map(len, ROOMS.values())) <= 20
    order = list(ROOMS)
    assert all(order.index(below) < order.index(room) for room, others in ROOMS.items() for below in others)


@pytest.mark.parametrize("path", [path for path in FILES if "tables" in path.parts], ids=lambda path: path.stem)
def test_tables_are_made_with_numpy_alone(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & {"torch", "numba", "llvmlite"}


@pytest.mark.parametrize("path", [path for path in FILES if "numba" not in path.parts], ids=lambda path: path.stem)
def test_numba_stays_in_its_folder(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & {"numba", "llvmlite"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_cached_by_circuit_for_the_whole_process(path: Path) -> None:
    """Caches of functions hold what they were called with: here only names and numbers of gates, families, files."""
    cached = [
        function
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        and {ast.unparse(one).split("(")[0] for one in function.decorator_list} & {"cache", "lru_cache"}
    ]
    for function in cached:
        kinds = [ast.unparse(argument.annotation) for argument in function.args.args if argument.annotation is not None]
        assert set(kinds) <= {"str", "int"}, (path.name, function.name)
