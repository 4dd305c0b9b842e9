"""`quanvolve compare`: does the quantum part help? A model beside its matched controls."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanvolve._errors import QuanvolveError
from quanvolve._file_names import STUDY_REPORT, STUDY_TABLE
from quanvolve._interrupt import interruptible
from quanvolve.cli._asked import DATA, MODEL, TRAINING, asks, of_layer, option, typed
from quanvolve.cli._console import emit, emit_json
from quanvolve.cli._counter import Counter
from quanvolve.cli._options import DataDir, Json
from quanvolve.cli._output import COMPARE, output_folder
from quanvolve.cli._study import say, write_report
from quanvolve.runs import OF_DATA, DataOptions, arguments_of, stated

if TYPE_CHECKING:
    from quanvolve.study import Protocol

STUDY = "Study"
_Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="A data set, or an .npz file.")]
_Output = Annotated[Path, option("--output", "Folder of the study; every finished trial is kept there.", DATA, "DIR")]
_Resume = Annotated[
    bool,
    option(
        "--resume", "Go on with the study in --output; more seeds or splits, controls or rates are added.", DATA, None
    ),
]
_Retry = Annotated[bool, option("--retry", "With --resume: also trials that failed.", DATA, None)]
_Controls = Annotated[
    str | None, option("--controls", "Some of the controls, separated by commas; see docs.", STUDY, "NAME,...")
]
_Seeds = Annotated[int, option("--seeds", "Seeds, each of which draws everything anew.", STUDY, min=1)]
_Splits = Annotated[
    int | None,
    option(
        "--splits",
        "Splits of all images to compare over, not seeds; 0 for none. 20 below 100 test images.",
        STUDY,
        min=0,
    ),
]
_TrainSize = Annotated[int | None, option("--train-size", "Training images, drawn anew by each seed.", STUDY, min=2)]
_TestSize = Annotated[int | None, option("--test-size", "Test images, the same for all.", STUDY, min=2)]
_Lrs = Annotated[str, option("--lr", "Learning rates to choose from, separated by commas.", TRAINING, "LR,...")]
_Workers = Annotated[int, option("--workers", "Processes of this machine.", STUDY, min=1)]
_Scheduler = Annotated[
    str, option("--scheduler", "local, the address of a Dask scheduler, or slurm:name=value,...", STUDY, "NAME")
]
_Epochs = Annotated[int, option("--epochs", "Epochs of every training.", TRAINING, min=1)]
_BatchSize = Annotated[int, option("--batch-size", "Images a step.", TRAINING, min=1)]
_Filters = Annotated[int, option("--filters", "Filters of the model.", MODEL, min=1)]
_KernelSize = Annotated[int, of_layer("kernel_size")]
_Stride = Annotated[int, of_layer("stride")]
_Head = Annotated[str, option("--head", "linear, cnn, mlp or quantum.", MODEL, "NAME")]
_Preset = Annotated[
    str | None,
    option(
        "--preset", "tree or tree-headless, in place of filters and head; it has controls of its own.", MODEL, "NAME"
    ),
]
_Trainable = Annotated[bool, option("--trainable/--fixed", "Train the filters of the model.", MODEL, None)]


@asks(DataOptions)
@asks()
def compare(
    ctx: typer.Context,
    dataset: _Dataset = "digits",
    output: _Output = Path("comparison"),
    resume: _Resume = False,
    retry: _Retry = False,
    controls: _Controls = None,
    seeds: _Seeds = 10,
    splits: _Splits = None,
    train_size: _TrainSize = None,
    test_size: _TestSize = None,
    preset: _Preset = None,
    filters: _Filters = 4,
    kernel_size: _KernelSize = 2,
    stride: _Stride = 2,
    head: _Head = "linear",
    trainable: _Trainable = True,
    epochs: _Epochs = 20,
    batch_size: _BatchSize = 32,
    lr: _Lrs = "1e-2,3e-3,1e-3",
    workers: _Workers = 1,
    scheduler: _Scheduler = "local",
    data_dir: DataDir = None,
    json: Json = False,
    **layer: Any,
) -> None:
    """Say whether the quantum part helps.

    Trains the model and matched controls (a convolution of the same shape,
    the circuit without entangling gates, random features, fixed kernels, the
    pixels themselves, and others) with the same data, tuning and seeds, and
    compares them seed by seed. The report is OUTPUT/report.html, verdict
    first.

    Fewer than 100 test images can show next to nothing: then splits of all
    images into training and test images take the place of seeds, unless
    --seeds, --splits or --test-size ask for something else.

    Every finished trial is kept: after Ctrl-C or kill -9, --resume does only
    what is missing, and several processes may do it together. With --resume,
    more --seeds or --splits, --controls or --lr are added to the study.
    """
    from quanvolve.runs import canonical
    from quanvolve.study import Protocol, Table, with_unit
    from quanvolve.study import compare as compared

    output_folder(output, COMPARE, resume=resume)
    own = {name: layer.pop(name) for name in OF_DATA}
    asked = DataOptions(**own).asked_by_study()
    model = {**layer, "filters": filters, "kernel_size": kernel_size, "stride": stride, "head": head}
    model["trainable"] = trainable
    if preset is not None:
        model = _preset_alone(ctx, preset, model)
    settings: dict[str, Any] = {
        "seeds": tuple(range(seeds)), "lr": _rates(lr), "epochs": epochs, "batch_size": batch_size,
        "train_size": train_size, "test_size": test_size, "splits": splits,
    }  # fmt: skip
    chosen = None if controls is None else [name.strip() for name in controls.split(",")]
    place = None if data_dir is None else Path(os.path.abspath(data_dir))
    data: str | None = dataset
    if resume:
        # What was not typed is as it was.
        plan = Table(output).plan
        model = {name: value for name, value in model.items() if typed(ctx, name) or name == "preset"}
        params = plan.contenders[0].params | arguments_of(model)
        chosen_again = {n: v for n, v in settings.items() if typed(ctx, n)}
        if splits and not typed(ctx, "seeds"):
            chosen_again["seeds"] = tuple(range(splits))
        decided = protocol = replace(plan.protocol, **_of_protocol(chosen_again))
        data = canonical(dataset) if typed(ctx, "dataset") else None
        asked = plan.asked | asked
    else:
        params = stated(arguments_of(model))
        if typed(ctx, "seeds"):
            if splits:
                raise QuanvolveError(
                    "`seeds` and `splits` cannot both be given: each split draws with a seed of its own",
                    arguments=("seeds", "splits"),
                )
            settings["splits"] = 0
        data, protocol = canonical(dataset), Protocol(**_of_protocol(settings))
        with interruptible(lambda: _how_to_go_on(output)):  # the data may have to be downloaded
            decided, few = with_unit(protocol, data, place, asked)
        if few is not None and not json:
            emit(
                f"{few} test images are too few to show anything: compared over {decided.splits} splits of all images "
                "(--splits N for another number, --seeds N for seeds, all on these test images)"
            )
    _warn_of_few(decided, params, chosen, output if resume else None, quiet=json)
    with interruptible(lambda: _how_to_go_on(output)), Counter("trials", quiet=json) as counter:

        def told(counts: dict[str, int], what: str) -> None:
            done, failed = counts["done"] + counts["failed"], counts["failed"]
            counter.show(done, sum(counts.values()), f"{failed} failed" if failed else "", what)

        results = compared(
            data, output, params=params, controls=chosen, protocol=protocol, data_dir=place, asked=asked, resume=resume,
            retry=retry, workers=workers, scheduler=scheduler, progress=told,
        )  # fmt: skip
        write_report(results, output)
    if json:
        emit_json(say(results))
        return
    for sentence in results.verdict():
        emit(sentence)
    emit(f"wrote {output / STUDY_REPORT} and {output / 'report.md'}")


def _preset_alone(ctx: typer.Context, preset: str, model: dict[str, Any]) -> dict[str, Any]:
    """The preset as the only option of the model.

    Raises:
        QuanvolveError: if it is not known, or another option of the model was typed.
    """
    from quanvolve.nn import find_preset

    find_preset(preset, "quantum")
    for name in model:
        if typed(ctx, name):
            raise QuanvolveError(
                f"`{name}` has no meaning with `preset` (={preset!r}), which fixes the network: leave one of the two "
                "out",
                arguments=(name, "preset"),
            )
    return {"preset": preset}


def _of_protocol(settings: dict[str, Any]) -> dict[str, Any]:
    return {{"lr": "lrs"}.get(name, name): value for name, value in settings.items()}


def _warn_of_few(
    protocol: Protocol, params: dict[str, Any], controls: list[str] | None, begun: Path | None, *, quiet: bool
) -> None:
    """Say before anything runs that so few seeds or splits can show nothing."""
    from quanvolve.study import Plan, Table, contenders_for

    names = {contender.name for contender in Table(begun).plan.contenders[1:]} if begun is not None else set()
    if begun is None or controls is not None:
        names |= {contender.name for contender in contenders_for(params, controls)[1:]}
    unit = Plan("", None, (), protocol).unit
    least = unit.least(max(1, len(names)))
    if not quiet and len(protocol.seeds) < least:
        emit(
            f"{len(protocol.seeds)} {unit.word}s cannot show any difference among {len(names)} controls, however "
            f"large: at least {least} can (--{unit.word}s {least})"
        )


def _how_to_go_on(output: Path) -> str:
    if not (output / STUDY_TABLE).is_file():
        return "interrupted before the study began: nothing was kept"
    return f"interrupted; continue with: quanvolve compare --output {shlex.quote(str(output))} --resume"


def _rates(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise QuanvolveError(f"--lr {text} is not a list of numbers, such as 1e-2,3e-3") from None
