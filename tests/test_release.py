"""What users get: a wheel and an archive of the sources that work in an empty environment, versioned by git's tag."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXTRAS = {
    "studio": (("studio", "--output", "store"), "the studio needs fastapi, which is not installed: pip install"),
    "export": (("export", "run", "--to", "onnx", "--output", "m.onnx"), "pip install 'quanvolve[export]'"),
    "search": (("search", "digits", "--output", "s"), "a search needs Optuna: install it with pip install"),
    "cluster": (
        ("compare", "digits", "--output", "c", "--scheduler", "tcp://127.0.0.1:1"),
        "needs Dask: install it with pip install 'quanvolve[cluster]'",
    ),
    "qiskit": (("estimate", "run", "--backend", "fake_manila"), "install it with pip install 'quanvolve[qiskit]'"),
}  # fmt: skip


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, timeout=1500
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and archive, of a commit with the tag v9.8.7."""
    folder = tmp_path_factory.mktemp("release")
    run("git", "clone", "--quiet", ROOT, folder / "clone", cwd=folder)
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    run("git", *identity, "tag", "-a", "v9.8.7", "-m", "a release", cwd=folder / "clone")
    environment = folder / "build"
    venv.create(environment, with_pip=True)
    run(environment / "bin" / "pip", "install", "--quiet", "build", cwd=folder)
    run(environment / "bin" / "python", "-m", "build", "--outdir", folder / "dist", folder / "clone", cwd=folder)
    return folder / "dist"


@pytest.mark.slow
def test_wheel_and_archive_hold_everything_and_nothing_else(built: Path) -> None:
    (wheel,), (archive,) = built.glob("*.whl"), built.glob("*.tar.gz")
    assert wheel.name == "quanvolve-9.8.7-py3-none-any.whl"
    assert archive.name == "quanvolve-9.8.7.tar.gz"
    inside = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "py.typed", "reproduce/reproductions/bowles/config.json", "studio/page/index.html",
        "studio/migrations/versions/0001_models_jobs_tokens.py", "studio/templates/reference.html",
        "report/templates/page.css", "report/templates/explanation.html", "study/templates/study.html",
    ):  # fmt: skip
        assert f"quanvolve/{name}" in inside, name
    assert any(name.startswith("quanvolve/bench/peers/") for name in inside)
    assert not [name for name in inside if "tests" in name or name.endswith((".ipynb", ".png"))]
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    assert "quanvolve-9.8.7/constraints.txt" in names
    assert "quanvolve-9.8.7/reproductions/bowles/config.json" in names


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(built: Path, tmp_path: Path) -> None:
    environment, (wheel,) = tmp_path / "venv", built.glob("*.whl")
    venv.create(environment, with_pip=True)
    pip = (environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt")
    run(*pip, "torch==2.13.0", cwd=tmp_path)
    run(*pip, wheel, cwd=tmp_path)
    quanvolve = environment / "bin" / "quanvolve"
    assert run(quanvolve, "--version", cwd=tmp_path).stdout == "quanvolve 9.8.7\n"
    said = run(quanvolve, "train", "digits", "--epochs", "3", "--output", "run", cwd=tmp_path).stdout
    assert "test accuracy 0." in said
    assert "bowles" in run(quanvolve, "reproduce", "--list", cwd=tmp_path).stdout
    for extra, (arguments, words) in EXTRAS.items():
        done = run(quanvolve, *arguments, cwd=tmp_path, check=False)
        assert done.returncode == 2, extra
        assert done.stderr.count("\n") == 1, (extra, done.stderr)
        assert words in done.stderr, (extra, done.stderr)
    assert sys.version_info >= (3, 11)


@pytest.mark.slow
@pytest.mark.parametrize("extra", [*EXTRAS, "all", "docs"])
def test_every_extra_can_be_installed_by_itself(built: Path, tmp_path: Path, extra: str) -> None:
    (wheel,) = built.glob("*.whl")
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    pip = (environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt")
    # What it would install is worked out for real, from the packages' own data, and not installed.
    done = run(*pip, "--dry-run", "--report", tmp_path / "report.json", f"{wheel}[{extra}]", cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "report.json").stat().st_size > 1000
