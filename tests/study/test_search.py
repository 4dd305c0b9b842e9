"""Searches: they find planted answers, are kept in SQLite and PostgreSQL, go on, and are judged without bias."""

from __future__ import annotations

import gc
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quanvolve._errors import QuanvolveError
from quanvolve.study import DEFAULT_SPACE, Choice, Range, parse_space, search
from tests.waiting import PATIENCE


@pytest.fixture(autouse=True)
def _no_connection_is_left_open() -> Iterator[None]:
    yield
    gc.collect()  # a connection that is collected while open is a warning, and warnings are errors


QUICK: dict[str, Any] = {"epochs": 3, "train_size": 150, "test_size": 100, "fixed": {"n_filters": 1}}
SMALL = {"encoding": Choice(("ry", "rx")), "lr": Range(1e-3, 1e-1, log=True)}


@pytest.mark.parametrize("sampler", ["tpe", "gp", "random", "grid"])
def test_all_samplers_search(sampler: str) -> None:
    told: list[int] = []
    found = search(
        "digits", space=SMALL, sampler=sampler, n_trials=4, progress=lambda done, *_: told.append(done), **QUICK
    )
    assert found.n_trials == 4
    assert found.params["encoding"] in ("ry", "rx")
    assert 1e-3 <= found.params["lr"] <= 1e-1
    assert found.params["n_filters"] == 1
    assert 0.1 < found.test_score <= 1
    assert found.model.get_params()["encoding"] == found.params["encoding"]
    assert math.isnan(found.nested_score)
    assert max(told) == 4


def test_a_planted_answer_is_found() -> None:
    # Almost no learning, or enough of it.
    found = search("digits", space={"lr": Choice((1e-6, 3e-2))}, sampler="grid", n_trials=2, **QUICK)
    assert found.params["lr"] == 3e-2


def test_a_grid_ends_when_all_is_tried() -> None:
    found = search("digits", space={"encoding": Choice(("ry", "rx"))}, sampler="grid", n_trials=50, **QUICK)
    assert found.n_trials == 2


def test_the_same_seed_searches_the_same() -> None:
    found = [search("digits", space=SMALL, n_trials=3, seed=5, prune=False, **QUICK) for _ in range(2)]
    assert found[0].params == found[1].params
    assert found[0].valid_score == found[1].valid_score


def test_trials_that_fail_are_counted_and_the_rest_goes_on() -> None:
    space = {"kernel_size": Choice((2, 99))}
    found = search("digits", space=space, sampler="grid", n_trials=2, **QUICK)
    assert (found.n_trials, found.n_failed, found.params["kernel_size"]) == (2, 1, 2)
    with pytest.raises(QuanvolveError, match="no trial of the search succeeded; the first failed with QuanvolveError"):
        search("digits", space={"kernel_size": Choice((99,))}, sampler="grid", n_trials=1, **QUICK)


def test_trainings_that_fall_behind_are_stopped() -> None:
    space = {"lr": Choice((3e-2, 2e-2, 1e-2, 1e-7))}
    settings = {**QUICK, "epochs": 8}
    found = search("digits", space=space, sampler="random", n_trials=12, seed=1, **settings)
    assert found.n_pruned > 0
    assert found.params["lr"] > 1e-7


def test_nested_folds_search_anew() -> None:
    told: list[tuple[int, int]] = []
    found = search("digits", space={"encoding": Choice(("ry", "rx"))}, sampler="grid", n_trials=2, folds=3,
                   progress=lambda done, of, *_: told.append((done, of)), **QUICK)  # fmt: skip
    assert len(found.nested) == 3
    assert found.nested_score == pytest.approx(np.mean(found.nested))
    assert len(told) == 8


def url_of(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    return f"sqlite:///{tmp_path}/s.db" if kind == "sqlite" else str(request.getfixturevalue("postgres"))


@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=pytest.mark.slow), "postgresql"])
def test_databases_keep_every_trial(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = url_of(kind, tmp_path, request)
    arguments = {"space": SMALL, "storage": url, "name": f"own {kind}", **QUICK}
    assert search("digits", n_trials=2, **arguments).n_trials == 2
    assert search("digits", n_trials=3, **arguments).n_trials == 3
    again = search("digits", n_trials=3, **arguments)
    assert again.n_trials == 3
    # Another process works on the same search.
    code = (
        "import sys; from quanvolve.study import Choice, Range, search; "
        "search('digits', space={'encoding': Choice(('ry', 'rx')), 'lr': Range(1e-3, 1e-1, log=True)}, n_trials=5, "
        "storage=sys.argv[1], name=sys.argv[2], epochs=3, train_size=150, test_size=100, fixed={'n_filters': 1})"
    )
    command = [sys.executable, "-c", code, url, f"own {kind}"]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=PATIENCE)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    found = search("digits", n_trials=5, **arguments)
    assert 5 <= found.n_trials <= 6  # two may be in their last one at the same time


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    for arguments, message in (
        ({"sampler": "tpee"}, r"`sampler` \(='tpee'\) must be one of 'tpe', 'gp', 'random', 'grid'"),
        ({"n_trials": 0}, r"`n_trials` \(=0\) and `epochs` \(=15\) must be at least 1"),
        ({"folds": 1}, r"`folds` \(=1\) 0 or at least 2"),
        ({"storage": "sqlite:////no/such/place.db"}, r"`storage` \(='sqlite:////no/such/place.db'\) cannot be used"),
        ({"storage": "postgresql+psycopg://127.0.0.1:1/x"}, "cannot be used: .*connection"),
        ({"storage": "nonsense"}, r"`storage` \(='nonsense'\) cannot be used"),
    ):
        with pytest.raises(QuanvolveError, match=message):
            search("digits", space=SMALL, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4..1", r"\(='4..1'\) must rise"),
        ("0..1:log", r"must rise, with log from above 0"),
        ("a..b", "is no range of numbers"),
        ("1..2:exp", "ends with 'exp', expected 'log' or nothing"),
        (",", "is empty"),
    ],
)
def test_spaces_that_make_no_sense(text: str, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        parse_space({"lr": text})


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"enconding": Choice(("ry",))}, r"has 'enconding', .*; did you mean 'encoding'\?"),
        ({"n_layers": Range(0, 3, whole=True)}, r"`n_layers` is from 0 to 3, expected whole numbers of at least 1"),
        ({"dilation": Range(1, 2)}, r"`dilation` is any number from 1 to 2, expected whole numbers of at least 1"),
        ({"engine": Choice(("auto", "fast"))}, r"`engine` has 'fast', expected some of 'auto'"),
        ({"padding_mode": Choice(("mirror",))}, r"`padding_mode` has 'mirror', expected some of 'zeros', 'reflect'"),
    ],
)
def test_spaces_that_no_trial_could_use(space: dict[str, Choice | Range], message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        search("digits", space=space, **QUICK)


def test_options_of_the_layer_are_searched() -> None:
    space = parse_space({"noise": "depolarizing=0.01", "padding": "same,1", "stride": "1", "channel_mixing": "sum"})
    found = search("digits", space=space, sampler="grid", n_trials=2, **QUICK)
    assert (found.n_trials, found.n_failed, found.params["noise"]) == (2, 0, "depolarizing=0.01")
    assert found.model.noise == {"depolarizing": 0.01}
    assert found.model.module_.backbone.circuits[0].noisy


def test_spaces_are_read_and_spread() -> None:
    found = parse_space({"trainable": "true,false", "lr": "0.1..0.4", "x": "1,2.5,abc"})
    assert found["trainable"] == Choice((True, False))
    assert found["x"] == Choice((1, 2.5, "abc"))
    assert found["lr"].grid() == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert Range(1e-4, 1e-1, log=True).grid() == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert DEFAULT_SPACE["n_filters"].grid() == [1, 2, 3, 4, 5, 6]
