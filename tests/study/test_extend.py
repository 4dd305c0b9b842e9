"""Studies that go on with more seeds, controls and learning rates: only what is missing runs, nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quanvolve._errors import QuanvolveError
from quanvolve.study import (
    SEEDS,
    Contender,
    Plan,
    Protocol,
    Results,
    Table,
    compare,
    contenders_for,
    least_seeds,
    results_of,
    work,
)
from quanvolve.study import _trial as trial_module
from quanvolve.study import _work as work_module
from quanvolve.study._extend import Wanted
from quanvolve.study._table import this_worker

QUICK = Protocol(seeds=(0, 1), lrs=(1e-2,), epochs=2, train_size=120, test_size=60)
PARAMS: dict[str, Any] = {"n_filters": 1}


def begun(folder: Path, **changes: Any) -> Results:
    arguments: dict[str, Any] = {"params": PARAMS, "controls": ["pixels"], "protocol": QUICK, **changes}
    return compare("digits", folder, **arguments)


def numbers(found: Results) -> dict[tuple[str, int], tuple[Any, ...]]:
    keys = ("test_accuracy", "valid_accuracy", "lr", "tried", "learning_curve")
    return {(row["contender"], row["seed"]): tuple(row["result"][key] for key in keys) for row in found.rows}


def test_more_of_everything_is_the_study_that_had_it_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "study"
    begun(folder)
    before = {row["id"]: row for row in Table(folder).rows()}
    ran: list[tuple[str, int, float]] = []
    real = trial_module._estimator

    def told(contender: Contender, plan: Plan, lr: float, seed: int, dims: int) -> Any:
        ran.append((contender.name, seed, lr))
        return real(contender, plan, lr, seed, dims)

    monkeypatch.setattr(trial_module, "_estimator", told)
    more = replace(QUICK, seeds=(0, 1, 2))
    found = compare(None, folder, protocol=more, controls=["pixels", "subsampled"], resume=True)
    assert sorted(ran) == [
        ("model", 2, 1e-2), ("pixels", 2, 1e-2), ("subsampled", 0, 1e-2), ("subsampled", 1, 1e-2),
        ("subsampled", 2, 1e-2),
    ]  # fmt: skip
    assert {row["id"]: row for row in found.rows if row["id"] in before} == before
    ran.clear()
    rates = replace(more, lrs=(1e-2, 1e-4, 1.2e-2))
    found = compare(None, folder, protocol=rates, resume=True)
    assert sorted({lr for _, _, lr in ran}) == [1e-4, 1.2e-2]
    assert len(ran) == 2 * 9
    ran.clear()
    again = compare("digits", folder, params=PARAMS, protocol=rates, resume=True)
    assert ran == []
    whole = begun(tmp_path / "whole", protocol=rates, controls=["pixels", "subsampled"])
    assert numbers(found) == numbers(again) == numbers(whole)
    assert found.comparisons == whole.comparisons
    assert found.verdict() == whole.verdict()
    lrs = {row["result"]["lr"] for row in found.rows}
    assert len(lrs) > 1
    assert found.plan == replace(whole.plan, looks=found.plan.looks)


def test_an_extension_that_is_interrupted_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "study"
    begun(folder)
    real = work_module.run_trial
    ran = 0

    def interrupted(*arguments: Any) -> Any:
        nonlocal ran
        ran += 1
        if ran == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(work_module, "run_trial", interrupted)
    rates = replace(QUICK, lrs=(1e-2, 3e-2))
    with pytest.raises(KeyboardInterrupt):
        compare(None, folder, protocol=rates, resume=True)
    assert Table(folder).counts() == {"pending": 2, "running": 0, "done": 2, "failed": 0}
    found = compare(None, folder, resume=True)
    assert numbers(found) == numbers(begun(tmp_path / "whole", protocol=rates))


def test_a_failure_of_what_was_added_leaves_what_there_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "study"
    before = numbers(begun(folder))
    real = work_module.run_trial

    def failing(plan: Plan, contender: Contender, seed: int, earlier: Any) -> Any:
        if contender.name == "pixels":
            raise ZeroDivisionError
        return real(plan, contender, seed, earlier)

    monkeypatch.setattr(work_module, "run_trial", failing)
    rates = replace(QUICK, lrs=(1e-2, 3e-2))
    found = compare(None, folder, protocol=rates, resume=True)
    assert [one.name for one in found.standings] == ["model"]
    kept = {key: one for key, one in numbers(found).items() if key[0] == "pixels"}
    assert kept == {key: one for key, one in before.items() if key[0] == "pixels"}
    monkeypatch.setattr(work_module, "run_trial", real)
    found = compare(None, folder, resume=True, retry=True)
    assert all(len(row["result"]["tried"]) == 2 for row in found.rows)


def test_a_worker_that_runs_takes_up_what_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "study"
    contenders = tuple(contenders_for(PARAMS, ["pixels"]))
    table = Table.create(folder, Plan("digits", None, contenders, QUICK))
    real = work_module.run_trial
    ran = 0

    def extending(*arguments: Any) -> Any:
        nonlocal ran
        ran += 1
        if ran == 1:  # by another process
            other = Table(folder)
            other.extend(Wanted(folder, controls=["pixels", "subsampled"]))
            rates = Wanted(folder, protocol=replace(QUICK, lrs=(1e-2, 3e-2)))
            with pytest.raises(QuanvolveError, match="while 1 of its trials are running: wait for them, or stop them"):
                other.extend(rates)
            assert Table(folder).plan.protocol == QUICK
        return real(*arguments)

    monkeypatch.setattr(work_module, "run_trial", extending)
    work(table)
    assert Table(folder).counts() == {"pending": 0, "running": 0, "done": 6, "failed": 0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "mnist"}, r"has `dataset` 'digits', and 'mnist' is given"),
        ({"data_dir": "/elsewhere"}, r"has `data_dir` None, and '/elsewhere' is given"),
        ({"params": {"n_filters": 2}}, r"has `n_filters` 1, and 2 is given"),
        ({"params": {"n_filters": 1, "trainable": True}}, r"has `trainable` False, and True is given"),
        ({"protocol": replace(QUICK, epochs=9)}, r"has `epochs` 2, and 9 is given"),
        ({"protocol": replace(QUICK, train_size=None)}, r"has `train_size` 120, and None is given"),
        ({"protocol": replace(QUICK, validation_fraction=0.3)}, r"has `validation_fraction` 0.2, and 0.3 is given"),
        ({"protocol": replace(QUICK, seeds=(1, 2))}, r"`seeds` \(=1, 2\) lacks 0 of the study in .*, which has 0, 1: "),
        (
            {"protocol": replace(QUICK, lrs=(1e-3,))},
            r"`lrs` \(=0.001\) lacks 0.01 of the study in .*, which has 0.01: ",
        ),
        ({"controls": ["conv"]}, r"`controls` \(=conv\) lacks pixels of the study in .*name all of them"),
        ({"controls": ["convv", "pixels"]}, r"`controls` has 'convv', which is none of conv, "),
    ],
)
def test_what_cannot_be_added_is_refused_with_both_values(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    contenders = tuple(contenders_for(PARAMS, ["pixels"]))
    table = Table.create(tmp_path / "study", Plan("digits", None, contenders, QUICK))
    before = table.rows()
    with pytest.raises(QuanvolveError, match=message):
        table.extend(Wanted(tmp_path / "study", **changes))
    assert Table(tmp_path / "study").plan == table.plan
    assert table.rows() == before
    table.extend(Wanted(tmp_path / "study", "digits", None, {"n_filters": 1, "trainable": False}, ["pixels"], QUICK))
    assert Table(tmp_path / "study").plan == table.plan


def test_a_second_look_is_said(tmp_path: Path) -> None:
    def judged(seeds: int, folder: str) -> Table:
        contenders = tuple(contenders_for(PARAMS, ["pixels"]))
        protocol = replace(QUICK, seeds=tuple(range(seeds)))
        table = Table.create(tmp_path / folder, Plan("digits", None, contenders, protocol))
        result = {
            "test_accuracy": 0.5, "n_test": 60, "n_train": 100, "majority": 0.1, "valid_accuracy": 0.5, "lr": 0.01,
            "tried": [[0.01, 0.5]], "seconds": 1.0, "parameters": {"total": 1, "trained": 1, "quantum": 0},
            "learning_curve": [0.5],
        }  # fmt: skip
        while (trial := table.claim(this_worker())) is not None:
            table.finish(trial, this_worker(), result)
        return table

    few, many = judged(3, "few"), judged(8, "many")
    for table in (few, many):
        table.extend(Wanted(table.folder, protocol=replace(QUICK, seeds=tuple(range(9)))))
    assert few.plan.looks == ()  # three seeds could show nothing, so nothing was looked at
    assert many.plan.looks == (8,)
    assert Table(many.folder).plan.looks == (8,)
    assert results_of(many).verdict()[-1] == (
        "The study had been judged with 8 seeds before it was extended: false claims keep to 5 % at each look, not "
        "over all of them."
    )


def test_studies_of_earlier_versions_are_read() -> None:
    contenders = tuple(contenders_for(PARAMS, ["pixels"]))
    plan = Plan("digits", None, contenders, QUICK)
    assert Plan.from_json(plan.to_json().replace('"looks": [], ', "")) == plan


def test_a_study_needs_data(tmp_path: Path) -> None:
    with pytest.raises(QuanvolveError, match=r"`dataset` \(=None\) must be a data set, or `resume` true"):
        compare(None, tmp_path / "study")


@pytest.mark.parametrize("params", [{}, {"trainable": True}, {"head": "quantum"}, {"trainable": True, "head": "mlp"}])
def test_the_usual_number_of_seeds_can_show_something(params: dict[str, Any]) -> None:
    controls = len(contenders_for(params)) - 1
    assert len(Protocol().seeds) == SEEDS >= least_seeds(controls)
    assert 2.0 ** (1 - SEEDS) * controls < 0.05
