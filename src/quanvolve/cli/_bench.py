"""`quanvolve bench`: the workloads, by this package and by every installed peer, side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from quanvolve._errors import QuanvolveError
from quanvolve._interrupt import interruptible
from quanvolve.cli._asked import option
from quanvolve.cli._console import emit, emit_table
from quanvolve.cli._output import BENCH, output_folder
from quanvolve.cli._progress import make_view
from quanvolve.runs import View

if TYPE_CHECKING:
    from quanvolve.bench import Contender, Row, Workload

_WHAT, _HOW = "What is compared", "How"
_Workloads = Annotated[
    str | None, option("--workloads", "Some of W1,W1d,W2,W3,W4,W5,W6; all, if not given.", _WHAT, "NAME,...")
]
_Peers = Annotated[str | None, option("--peers", "Such as pennylane-jax,aer; all, if not given.", _WHAT, "NAME,...")]
_Install = Annotated[
    bool, option("--install-peers", "First make the virtual environments that peers need.", _WHAT, None)
]
_Environments = Annotated[
    Path | None, option("--environments", "Folder of these; in the user's cache, if not given.", _WHAT, "DIR")
]
_Rounds = Annotated[
    int | None, option("--rounds", "Runs of each contender, one in each round: 7, or 3 if --quick.", _HOW, min=1)
]
_Quick = Annotated[bool, option("--quick", "Short runs and 3 rounds, for a first look.", _HOW, None)]
_Output = Annotated[Path, option("--output", "Folder of bench.csv and bench.png.", _HOW, "DIR")]
_SECONDS, _QUICK_SECONDS = 0.5, 0.05
_ROUNDS, _QUICK_ROUNDS = 7, 3


def bench(
    workloads: _Workloads = None,
    peers: _Peers = None,
    install_peers: _Install = False,
    environments: _Environments = None,
    rounds: _Rounds = None,
    quick: _Quick = False,
    output: _Output = Path("bench"),
) -> None:
    """Time this package beside nn.Conv2d and other libraries.

    All must first give the values (or losses and gradients) of a state
    vector in double precision, to 1e-5. Then each runs once a round. Peers
    get their windows cut before the clock starts, and the batch they like
    best.
    """
    from quanvolve.bench import bench_figure, choose_contenders, choose_workloads, default_folder, write_csv
    from quanvolve.figures import save_figure

    wanted, contenders = choose_workloads(workloads), choose_contenders(peers)
    folder = default_folder() if environments is None else environments
    output_folder(output, BENCH)
    _make(output, "--output")
    absent = {contender.name: "not installed: --install-peers installs it" for contender in contenders}
    failed = absent | (_install_all(contenders, folder) if install_peers else {})
    rows: list[Row] = []
    begun = ""

    def interruption() -> str:
        return f"interrupted; {output / 'bench.csv'} has the workloads before {begun}" if rows else "interrupted"

    with interruptible(interruption), tempfile.TemporaryDirectory(prefix="quanvolve-bench-") as work:
        run = _Run(contenders, folder, rounds or (_QUICK_ROUNDS if quick else _ROUNDS), quick, failed, Path(work))
        for workload in wanted:
            begun = workload.name
            done = run(workload)
            write_csv([*rows, *done], output / "bench.csv")
            rows += done
    save_figure(bench_figure(rows), output / "bench.png")
    emit(f"\ntable {output / 'bench.csv'}\nchart {output / 'bench.png'}")


def _make(folder: Path, name: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QuanvolveError(
            f"{name} (='{folder}') cannot be made: {error.strerror or error}; choose another folder"
        ) from error


def _install_all(contenders: list[Contender], folder: Path) -> dict[str, str]:
    """Make the environments that are missing; why some could not be made, by name."""
    from quanvolve.bench import install, needs_install
    from quanvolve.data import offline

    missing = [contender for contender in contenders if needs_install(contender, folder)]
    if missing and offline():
        raise QuanvolveError(
            f"--install-peers would download {', '.join(c.name for c in missing)}, but QUANVOLVE_OFFLINE forbids it: "
            "unset it, or leave --install-peers out"
        )
    _make(folder, "--environments")
    failed = {}
    for contender in missing:
        with _view() as view:
            view.phase(f"installing {contender.name}")
            reason = install(contender, folder)
        emit(
            f"{contender.name} " + (f"not installed: {reason}" if reason else f"installed in {folder / contender.name}")
        )
        if reason:
            failed[contender.name] = f"does not install: {reason}"
    return failed


@contextmanager
def _view() -> Iterator[View]:
    view = make_view(quiet=False, json=False)
    try:
        yield view
    finally:
        view.close()


@dataclass(frozen=True)
class _Run:
    """How workloads are run, all of them the same way."""

    contenders: list[Contender]
    environments: Path
    rounds: int
    quick: bool
    failed: dict[str, str]
    work: Path

    def __call__(self, workload: Workload) -> list[Row]:
        """Run a workload and print its table."""
        from quanvolve.bench import HEADER, cells, make_rows, run_workload

        with _view() as view:
            outcomes = run_workload(
                workload,
                self.contenders,
                self.work / workload.name,
                self.environments,
                rounds=self.rounds,
                least=_QUICK_SECONDS if self.quick else _SECONDS,
                tell=view.phase,
                failed=self.failed,
            )
        rows = make_rows(outcomes)
        emit(f"\n{workload.name}: {workload.title}; {workload.unit} a second")
        emit_table([cells(row) for row in rows], HEADER, right=(1, 2, 4))
        return rows
