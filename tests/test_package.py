"""The package as a whole: what an import costs, what is public, who may import whom."""

import ast
import re
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

# The ground: files beside the rooms that know none of them.
GROUND = {"_errors", "_file_names", "_files", "_interrupt", "_lines", "_qiskit", "_untrusted", "_version", "_warn"}
# The rooms of the house, from below, and the rooms each may import at run time. A name with _ is a file beside them.
ROOMS: dict[str, set[str]] = {
    "_options": set(),
    "circuits": set(),
    "compile": {"circuits"},
    "analysis": {"circuits", "compile"},
    "nn": {"_options", "circuits", "compile", "analysis"},
    "figures": {"circuits", "compile", "analysis"},
    "deploy": set(),
    "_bibliography": set(),
    "_cite": {"_bibliography", "circuits", "analysis"},
    "report": {"analysis", "figures", "_cite"},
    "data": set(),
    "estimators": {"_options", "circuits", "compile", "nn", "data"},
    "runs": {"_options", "nn", "figures", "data", "estimators"},
    "backends": {"circuits", "compile", "nn"},
    "testing": {"circuits", "nn"},
    "bench": {"circuits", "figures", "data"},
    "study": {"_options", "nn", "analysis", "figures", "report", "data", "estimators"},
    "reproduce": {"circuits", "compile", "nn", "data", "estimators"},
    "studio": {"_options", "circuits", "analysis", "nn", "figures", "report", "data", "estimators", "runs", "study"},
    "cli": {
        "_options", "circuits", "compile", "analysis", "nn", "figures", "deploy", "report", "data", "estimators",
        "runs", "backends", "bench", "study", "reproduce", "studio",
    },
    # Names for users; nothing imports them.
    "explain": {"analysis", "figures", "deploy", "_cite", "report"},
    "__init__": {"_cite", "nn", "data", "estimators"},
    "__main__": {"cli"},
}  # fmt: skip


@pytest.mark.parametrize(
    "statement", ["import quanvolve", "import quanvolve.runs", "from quanvolve import Quanv2d", "import quanvolve.nn"]
)
def test_an_import_loads_nothing_heavy(statement: str) -> None:
    code = f"{statement}; import sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    loaded = set(result.stdout.split())
    assert "quanvolve" in loaded
    assert loaded.isdisjoint(HEAVY)
    if statement in ("import quanvolve", "import quanvolve.runs"):
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


@pytest.mark.parametrize("circuit", ["strongly_entangling", "random", "qcnn"])
@pytest.mark.parametrize("encoding", ["ry", "iqp", "amplitude"])
def test_building_and_running_a_named_layer_loads_no_pennylane(circuit: str, encoding: str) -> None:
    code = f"""
import sys, torch, quanvolve
layer = quanvolve.Quanv2d(1, 4, 2, circuit={circuit!r}, encoding={encoding!r}, n_layers=1)
layer(torch.rand(1, 1, 4, 4)).sum().backward()
print(*sorted({{name.split('.')[0] for name in sys.modules}}))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert set(result.stdout.split()).isdisjoint(HEAVY)


def test_loading_a_saved_model_with_a_named_circuit_loads_no_pennylane(tmp_path: Path) -> None:
    digits = quanvolve.load_dataset("digits")
    model = quanvolve.QuanvClassifier(circuit="random", trainable=False, max_epochs=1, random_state=0)
    model.fit(digits.train_images[:200], digits.train_labels[:200]).save(tmp_path / "model")
    code = f"""
import sys, quanvolve
model = quanvolve.load({str(tmp_path / "model")!r})
print(len(model.predict(quanvolve.load_dataset("digits").test_images[:2])), "pennylane" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert result.stdout.split() == ["2", "False"]


def test_public_names_are_few_and_all_there() -> None:
    assert len([name for name in quanvolve.__all__ if not name.startswith("_")]) <= 14
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
    return {room for room in rooms if (SOURCE / room).is_dir() or (SOURCE / f"{room}.py").is_file()} - GROUND


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


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


OF_QISKIT = (
    "backends/",
    "circuits/capture/_qiskit",
    "circuits/capture/_openqasm.py",
    "circuits/write/_quantum_circuit.py",
)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_few_files_know_qiskit(path: Path) -> None:
    knows = (
        any(name.split(".")[0].startswith("qiskit") for name in imports_of(path))
        or 'import("qiskit' in path.read_text()
        or 'import_qiskit("' in path.read_text()
    )
    assert not knows or _name(path).startswith(OF_QISKIT)


def test_every_room_has_its_place_and_imports_only_what_is_below() -> None:
    assert {room_of(path) for path in FILES} == set(ROOMS) | GROUND
    below: set[str] = set()
    for room, allowed in ROOMS.items():
        assert allowed <= below, room
        below.add(room)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_arrows_between_rooms_point_one_way(path: Path) -> None:
    room = room_of(path)
    assert rooms_of(path) - {room} <= ROOMS.get(room, set())


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_rooms_use_only_what_others_export(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("quanvolve."):
            _, other, *rest = node.module.split(".")
            assert other == room or not any(part.startswith("_") for part in rest), node.module


# The rooms that know how options are typed.
TERMINAL = ("cli", "studio")
OPTION = re.compile(r"(^|[\s\"'`]|(?<!var)\()--[a-z][\w-]*")  # but for variables of style sheets


def texts_of(path: Path) -> list[str]:
    """All text of a file that is no docstring, that of formatted strings piece by piece."""
    tree = ast.parse(path.read_text())
    docs = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def spells_options(text: str) -> bool:
    """Whether a text tells someone an option; one that is nothing else is an argument for another program."""
    found = OPTION.search(text)
    return found is not None and found.group() != text


@pytest.mark.parametrize("path", [path for path in FILES if room_of(path) not in TERMINAL], ids=_name)
def test_only_the_command_line_spells_options(path: Path) -> None:
    assert [text for text in texts_of(path) if spells_options(text)] == []


def test_an_option_is_seen_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text('"""See --help."""\nx = 1\nraise ValueError(f"{x}: leave out --resume", "--quiet", "a -- b")\n')
    assert [text for text in texts_of(path) if spells_options(text)] == [": leave out --resume"]


@pytest.mark.parametrize(
    "path", [path for path in FILES if room_of(path) not in ("cli", "circuits", "compile", "__main__")], ids=_name
)
def test_imports_inside_functions_say_what_they_put_off(path: Path) -> None:
    lines = path.read_text().splitlines()
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("quanvolve"):
                    assert "# loads " in lines[node.lineno - 1], f"{path}:{node.lineno}"
