"""`quanvolve datasets`, `circuits`, `--version` and `--help`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from quanvolve import __version__
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS, Circuit, named_circuit
from quanvolve.data import list_datasets, list_ucr
from tests.cli.conftest import ENVIRONMENT, PYTHON, cli, ok, refused


def test_datasets(tmp_path: Path) -> None:
    lines = ok("datasets").out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", *(info.name for info in list_datasets()), "ucr/NAME"]
    assert lines[1].split()[:5] == ["digits", "1,797", "8x8", "10", "bundled"]
    assert lines[2].split()[:5] == ["moons", "1,000", "2", "2", "bundled"]
    assert "to download" in lines[3]
    (tmp_path / "here").mkdir()
    said = ok("datasets", "--json", "--data-dir", tmp_path / "here").json
    assert said["ucr"] == list_ucr()
    found = {one["name"]: one for one in said["datasets"]}
    assert found["cifar10"]["shape"] == [3, 32, 32]
    assert found["mnist"]["images"] == 70000
    assert found["mnist"]["shape"] == [28, 28]
    assert found["mnist"]["where"] == f"not in {tmp_path / 'here'}"


def test_circuits() -> None:
    lines = ok("circuits").out.splitlines()
    first = [line.split()[0] for line in lines if line]
    assert first == ["--circuit", *ANSATZE, "--encoding", *ENCODINGS, "--readout", *READOUTS]
    found = ok("circuits", "--json").json
    assert [one["name"] for one in found["circuits"]] == list(ANSATZE)
    assert found["encodings"][0]["summary"] == ENCODINGS["ry"].summary


@pytest.mark.parametrize("name", list(ANSATZE))
def test_one_circuit(name: str) -> None:
    args = ("circuits", name, "--qubits", 3, "--layers", 1, "--encoding", "rx", "--seed", 7)
    circuit = named_circuit(name, 3, encoding="rx", n_layers=1, seed=7)
    assert Circuit.from_dict(ok(*args, "--json").json) == circuit
    text = ok(*args).out
    assert "RX(x0)" in text
    facts = dict(line.split(maxsplit=1) for line in text.splitlines()[-7:])
    assert facts["qubits"] == "3"
    assert facts["gates"] == str(len(circuit.gates))
    assert facts["weights"] == str(circuit.n_weights)
    assert facts["reference"] == ANSATZE[name].reference


@pytest.mark.parametrize("name", [*ENCODINGS, *READOUTS])
def test_encodings_and_readouts_are_described_too(name: str) -> None:
    facts = dict(line.split(maxsplit=1) for line in ok("circuits", name).out.splitlines()[-7:])
    entry = {**ENCODINGS, **READOUTS}[name]
    assert facts["reference"] == entry.reference
    assert facts["plans"]


@pytest.mark.parametrize("name", ["qcnn", "amplitude", "popcount"])
def test_draw_writes_a_picture(name: str, tmp_path: Path) -> None:
    out = ok("circuits", name, "--draw", "--inputs", 4, "--output", tmp_path / "new").out
    path = tmp_path / "new" / f"{name}.png"
    assert out == f"picture {path}\n"
    assert path.read_bytes().startswith(b"\x89PNG")
    (tmp_path / "file").write_text("")
    assert "cannot be made: Not a directory" in refused("circuits", name, "--draw", "--output", tmp_path / "file")


def test_circuits_that_do_not_exist() -> None:
    assert "did you mean 'strongly_entangling'" in refused("circuits", "strongly_entangled")
    assert "--encoding (='q')" in refused("circuits", "random", "--encoding", "q")
    assert "--layers" in refused("circuits", "random", "--layers", 0)


def test_version_and_help() -> None:
    assert ok("--version").out == f"quanvolve {__version__}\n"
    assert ok("--help").out == ok().out
    assert "predict" in ok("-h").out


def test_help_and_wrong_options_import_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from quanvolve.cli import main\n"
        "codes = main(['--help']), main(['train', '--help']), main(['train', '--frobnicate']), main(['--version'])\n"
        "assert codes == (0, 0, 2, 0), codes\n"
        "heavy = {'torch', 'numpy', 'sklearn', 'skorch', 'matplotlib', 'pennylane', 'numba', 'PIL', 'safetensors'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "quanvolve: error: no such option: --frobnicate (see `quanvolve train --help`)\n"


@pytest.mark.parametrize("command", [["datasets"], ["circuits"], ["--help"]])
def test_a_closed_pipe_is_no_error(command: list[str]) -> None:
    process = subprocess.Popen([*PYTHON, *command], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), err) == (0, b"")


def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*PYTHON, "datasets"], env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "quanvolve: error: No space left on device\n"


def test_interrupting_other_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("quanvolve.data.list_datasets", interrupted)
    result = cli("datasets")
    assert (result.code, result.err) == (130, "quanvolve: interrupted\n")
