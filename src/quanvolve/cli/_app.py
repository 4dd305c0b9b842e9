"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from quanvolve.cli._bench import bench
from quanvolve.cli._calibrate import calibrate
from quanvolve.cli._circuits import circuits
from quanvolve.cli._compare import compare
from quanvolve.cli._datasets import datasets
from quanvolve.cli._estimate import estimate
from quanvolve.cli._evaluate import evaluate
from quanvolve.cli._explain import explain
from quanvolve.cli._export import export
from quanvolve.cli._look import look
from quanvolve.cli._predict import predict
from quanvolve.cli._reproduce import reproduce
from quanvolve.cli._search import search
from quanvolve.cli._studio import studio
from quanvolve.cli._study import study
from quanvolve.cli._train import train
from quanvolve.cli._warmup import warmup

app = typer.Typer(
    name="quanvolve",
    help="Quantum convolution: train image classifiers, test them, look at their circuits.",
    epilog="`quanvolve train` alone trains on scikit-learn's bundled digits, offline, in seconds.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from quanvolve import __version__
        from quanvolve.cli._console import emit

        emit(f"quanvolve {__version__}")
        raise typer.Exit


@app.callback()
def _quanvolve(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


_COMMANDS = (
    train,
    look,
    evaluate,
    predict,
    explain,
    export,
    compare,
    search,
    reproduce,
    estimate,
    calibrate,
    studio,
    datasets,
    circuits,
    bench,
    warmup,
)
for _command in _COMMANDS:
    app.command()(_command)
app.add_typer(study, name="study")
