"""`quanvolve bench`: the workloads, by this package and by every installed peer, side by side."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from quanvolve.cli._console import complain, emit, emit_table

_Workloads = Annotated[str | None, typer.Option("--workloads", metavar="NAMES", help="Such as W1,W3; all, if not given.")]
_Peers = Annotated[
    str | None, typer.Option("--peers", metavar="NAMES", help="Such as pennylane-jax,aer; all, if not given.")
]
_Rounds = Annotated[int, typer.Option("--rounds", min=1, help="Timed runs of each contender; the median counts.")]
_Output = Annotated[Path, typer.Option("--output", metavar="DIR", help="Folder for bench.csv and bench.png.")]
_Install = Annotated[bool, typer.Option("--install-peers", help="Make the peers' virtual environments first.")]
_Environments = Annotated[
    Path | None, typer.Option("--environments", metavar="DIR", help="Where these are; in the cache, if not given.")
]
_Quick = Annotated[bool, typer.Option("--quick", help="One short round.")]
_QUICK, _LEAST = 0.05, 0.7


def bench(
    workloads: _Workloads = None,
    peers: _Peers = None,
    rounds: _Rounds = 5,
    output: _Output = Path("bench"),
    install_peers: _Install = False,
    environments: _Environments = None,
    quick: _Quick = False,
) -> None:
    """Time this package, nn.Conv2d and other libraries on the same work, after checking that all agree."""
    from quanvolve._errors import QuanvolveError
    from quanvolve.bench import default_folder, draw_chart, install, rows, run_workload, write_csv
    from quanvolve.bench._contenders import chosen as chosen_contenders
    from quanvolve.bench._workloads import chosen as chosen_workloads

    wanted, contenders = chosen_workloads(workloads), chosen_contenders(peers)
    folder = environments or default_folder()
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QuanvolveError(f"cannot write to the folder {output}: {error.strerror or error}") from error
    failed: dict[str, str] = {}
    if install_peers:
        for contender in contenders:
            if contender.requirements:
                complain(f"installing {contender.title} in {folder / contender.name}")
                reason = install(contender, folder)
                if reason is not None:
                    failed[contender.name] = f"does not install: {reason}"
                    complain(f"{contender.title} {failed[contender.name]}")
    found = []
    with tempfile.TemporaryDirectory() as work:
        for workload in wanted:
            outcomes = run_workload(
                workload, contenders, Path(work) / workload.name, folder, 1 if quick else rounds,
                _QUICK if quick else _LEAST, complain,
            )  # fmt: skip
            for outcome in outcomes:
                if outcome.contender.name in failed and not outcome.rates:
                    outcome.reason = failed[outcome.contender.name]
            own = rows(outcomes)
            found += own
            emit("")
            _show(workload.title, own)
            write_csv(found, output / "bench.csv")  # after each, so that an interruption loses nothing
    draw_chart(found, output / "bench.png")
    emit("")
    emit(f"table {output / 'bench.csv'}")
    emit(f"chart {output / 'bench.png'}")


def _show(title: str, own: list[dict[str, str]]) -> None:
    from quanvolve.bench import short

    emit(f"{own[0]['workload']}: {title}")
    lines = [
        (
            row["contender"],
            short(row["rate"]),
            row["to_best_peer"] or "-",
            row["to_conv2d"] or "-",
            row["difference"] or "-",
            row["note"],
        )
        for row in sorted(own, key=lambda row: -float(row["rate"] or 0))
    ]
    emit_table(lines, ("contender", own[0]["unit"], "to best peer", "to Conv2d", "difference", ""), right=(1, 2, 3, 4))
