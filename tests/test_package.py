"""The package as a whole: what an import costs, what is public, who may import whom."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import quanvolve
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[1]
SOURCE = Path(quanvolve.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
HEAVY = ("pennylane", "sklearn", "skorch", "matplotlib", "qiskit")

# The rooms of the house, and the rooms each may import at run time.
ROOMS = {
    "_options": set(),
    "circuits": set(),
    "compile": {"circuits"},
    "nn": {"_options", "circuits", "compile", "explain"},
    "data": set(),
    "estimators": {"_options", "circuits", "compile", "nn", "explain"},
    "backends": {"circuits", "compile", "nn"},
    "bench": {"circuits", "data", "explain"},
    "study": {"_options", "nn", "explain", "estimators", "data"},
    "studio": {"_options", "circuits", "nn", "explain", "estimators", "data", "study"},
    "reproduce": {"circuits", "compile", "nn", "estimators", "data"},
    "cli": {
        "_options",
        "reproduce",
        "studio",
        "circuits",
        "compile",
        "nn",
        "explain",
        "estimators",
        "data",
        "bench",
        "backends",
        "study",
    },
    "testing": {"circuits", "nn"},
}


@pytest.mark.parametrize("statement", ["import quanvolve", "from quanvolve import Quanv2d", "import quanvolve.nn"])
def test_an_import_loads_nothing_heavy(statement: str) -> None:
    code = f"{statement}; import sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    loaded = set(result.stdout.split())
    assert "quanvolve" in loaded
    assert loaded.isdisjoint(HEAVY)
    if statement == "import quanvolve":
        assert "torch" not in loaded


def test_all_is_every_extra_of_users() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (all_of_them,) = (Requirement(line) for line in extras["all"])
    assert all_of_them.name == "quanvolve"
    assert all_of_them.extras == set(extras) - {"all", "test", "docs", "peers"}


def test_using_a_fixed_description_needs_no_pennylane() -> None:
    code = """
import sys, torch
from quanvolve import quanv2d
from quanvolve.circuits import Angle, Circuit, Gate, Observable
gate = Gate("RY", (0,), Angle(0.0, ((0, 1.0),)))
circuit = Circuit(1, 1, (gate,), (Observable(((1.0, ((0, "Z"),)),)),))
x = torch.rand(1, 1, 3, 3)
assert torch.allclose(quanv2d(x, {}, circuit, 1, scale=1.0), x.cos(), atol=1e-6)
assert "pennylane" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], timeout=PATIENCE, check=True)


def test_public_names_are_few_and_all_there() -> None:
    assert len([name for name in quanvolve.__all__ if not name.startswith("_")]) <= 12
    assert len(set(quanvolve.__all__)) == len(quanvolve.__all__)
    for name in quanvolve.__all__:
        assert getattr(quanvolve, name) is not None
    assert dir(quanvolve) == sorted(quanvolve.__all__)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"module 'quanvolve' has no attribute 'Quanv7d'; it has .*Quanv2d"):
        quanvolve.Quanv7d  # noqa: B018


def test_the_version_is_the_installed_one() -> None:
    assert quanvolve.__version__ == version("quanvolve")


def test_files_are_short() -> None:
    assert len(FILES) > 20
    too_long = {str(path): lines for path in FILES if (lines := len(path.read_text().splitlines())) > 600}
    assert not too_long


def _is_type_checking(node: ast.stmt) -> bool:
    if not isinstance(node, ast.If):
        return False
    test = node.test
    return getattr(test, "id", getattr(test, "attr", None)) == "TYPE_CHECKING"


def imports_of(path: Path) -> set[str]:
    """The full names of all modules that a file imports at run time, also inside functions."""
    found: set[str] = set()
    here = ("quanvolve", *path.relative_to(SOURCE).parent.parts)
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found.update({module, *(f"{module}.{alias.name}" for alias in node.names)})
        if isinstance(node, ast.If) and _is_type_checking(node):
            pending.extend(node.orelse)
        else:
            pending.extend(ast.iter_child_nodes(node))
    return found


def rooms_of(path: Path) -> set[str]:
    rooms = {name.split(".")[1] for name in imports_of(path) if name.startswith("quanvolve.")}
    return {room for room in rooms if (SOURCE / room).is_dir()}


def test_the_scan_sees_imports_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "SOURCE", tmp_path)
    file = tmp_path / "nn" / "a.py"
    file.parent.mkdir()
    file.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import hidden\n"
        "else:\n    import seen\n"
        "def f():\n    import pennylane.ops as x\n    from . import b\n    from ..compile import c\n"
    )
    assert imports_of(file) == {
        "typing",
        "typing.TYPE_CHECKING",
        "seen",
        "pennylane.ops",
        "quanvolve.nn",
        "quanvolve.nn.b",
        "quanvolve.compile",
        "quanvolve.compile.c",
    }


def _name(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_only_circuits_and_backends_know_pennylane(path: Path) -> None:
    knows = any(name.split(".")[0] == "pennylane" for name in imports_of(path))
    assert not knows or path.relative_to(SOURCE).parts[0] in ("circuits", "backends")


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_only_backends_knows_qiskit(path: Path) -> None:
    knows = (
        any(name.split(".")[0].startswith("qiskit") for name in imports_of(path))
        or 'import("qiskit' in path.read_text()
    )
    assert not knows or path.relative_to(SOURCE).parts[0] == "backends"


@pytest.mark.parametrize("path", [p for p in FILES if p.relative_to(SOURCE).parts[0] in ROOMS], ids=_name)
def test_arrows_between_rooms_point_one_way(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0]
    assert rooms_of(path) - {room} <= ROOMS[room]


@pytest.mark.parametrize("path", [p for p in FILES if p.relative_to(SOURCE).parts[0] == "explain"], ids=_name)
def test_explain_imports_neither_layers_nor_estimators(path: Path) -> None:
    assert rooms_of(path).isdisjoint({"nn", "estimators", "study", "studio", "cli"})


def test_layers_import_explain_only_when_asked() -> None:
    for path in sorted((SOURCE / "nn").glob("*.py")):
        top = ast.parse(path.read_text()).body
        names = [node.module for node in top if isinstance(node, ast.ImportFrom)]
        assert not any(name and name.startswith("quanvolve.explain") for name in names), path


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_rooms_use_only_what_others_export(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("quanvolve."):
            _, other, *rest = node.module.split(".")
            assert other == room or not any(part.startswith("_") for part in rest), node.module
