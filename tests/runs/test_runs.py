"""What a run folder says, to whoever looks at it from outside of a terminal."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve._options import parse_noise
from quanvolve.runs import (
    KEPT,
    Run,
    TrainOptions,
    Unfinished,
    begun,
    config_of,
    epochs_of,
    load_classifier,
    locked,
    make_folder,
    metrics_of,
    origin_of,
    read_run,
    trained,
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that has only begun."""
    found = Run(tmp_path / "run", "digits", None, TrainOptions(filters=2))
    found.folder.mkdir()
    found.write()
    return found


def test_a_run_is_read_as_it_was_written(run: Run) -> None:
    assert read_run(run.folder) == run
    assert begun(run.folder)
    assert not trained(run.folder)
    assert {run.history.name, run.metrics.name, *run.pictures()} <= set(KEPT)
    assert run.checkpoint.name not in KEPT


def test_a_run_that_is_being_written_can_be_looked_at(run: Run) -> None:
    assert (epochs_of(run.folder), metrics_of(run.folder), config_of(run.folder)) == ([], None, {})
    run.history.write_text('{"epoch": 1}\n[2]\n{"epoch": 3')
    run.metrics.write_text('{"test_accuracy": ')
    assert epochs_of(run.folder) == [{"epoch": 1}]
    assert metrics_of(run.folder) is None
    run.metrics.write_text('{"test_accuracy": 0.5}')
    assert metrics_of(run.folder) == {"test_accuracy": 0.5}


def test_where_a_model_comes_from(run: Run, tmp_path: Path) -> None:
    dataset, options = origin_of(run.folder)
    assert (dataset, options["filters"]) == ("digits", 2)
    assert origin_of(tmp_path) == ("unknown", {})


def test_a_run_without_a_model_says_which_it_is(run: Run) -> None:
    with pytest.raises(Unfinished, match="has no model yet: finish its training first") as caught:
        load_classifier(run.folder)
    assert caught.value.folder == run.folder
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.folder) == (str(caught.value), run.folder)


def test_errors_carry_the_arguments_that_they_name(run: Run) -> None:
    with pytest.raises(ModelError, match=r"nothing has begun in .* yet: leave out `resume`") as caught:
        read_run(make_folder(run.folder.parent / "new", "digits")[0])
    assert caught.value.arguments == ("resume",)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.arguments) == (str(caught.value), ("resume",))
    with (
        pytest.raises(QuanvolveError, match="wait for it, or give another `output`") as caught_other,
        locked(run.folder),
        locked(run.folder),
    ):
        raise AssertionError("both have it")
    assert caught_other.value.arguments == ("output",)
    with pytest.raises(QuanvolveError, match=r"`noise=much` is not a list of names and strengths") as caught_noise:
        parse_noise("much")
    assert caught_noise.value.arguments == ("noise",)


def test_options_that_are_none_are_named(run: Run) -> None:
    path = run.folder / "run.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "options": {**content["options"], "kernel_size": "2"}}))
    with pytest.raises(ModelError, match="is damaged: the option `kernel_size` is '2'") as caught:
        read_run(run.folder)
    assert caught.value.arguments == ("kernel_size",)
