"""Splits as the unit of comparison: how images are dealt, when splits are chosen, and verdicts on small real data."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quanvolve import load_dataset
from quanvolve._errors import ModelError, QuanvolveError
from quanvolve.data import Dataset
from quanvolve.study import Outcome, Plan, Protocol, Table, compare, contenders_for, page, with_unit
from quanvolve.study import _work as work_module
from quanvolve.study._extend import Wanted
from quanvolve.study._splits import FEW_TEST_IMAGES, FOLDS, USUAL_SPLITS, pooled, repetitions, split
from quanvolve.study._trial import _parts
from quanvolve.study._unit import SEEDS_UNIT, SPLITS_UNIT
from tests.datasets import SERIES

from .claims import contradictions
from .learners import Small, nearest_mean

QUICK = Protocol(lrs=(3e-2,), epochs=6, batch_size=16)
PARAMS: dict[str, Any] = {"n_filters": 1}


@pytest.fixture(scope="module")
def ninety(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of 90 digits, 18 of them for testing."""
    return write_digits(tmp_path_factory.mktemp("ninety") / "ninety.npz")


def write_digits(path: Path, n_train: int = 72, n_test: int = 18) -> str:
    digits = load_dataset("digits")
    first = n_train + n_test
    np.savez(
        path, train_images=digits.train_images[:n_train], train_labels=digits.train_labels[:n_train],
        test_images=digits.train_images[n_train:first], test_labels=digits.train_labels[n_train:first],
    )  # fmt: skip
    return str(path)


@pytest.mark.parametrize(("images", "classes"), [(10, 2), (12, 3), (90, 10), (97, 7)])
def test_a_repetition_tests_every_image_once(images: int, classes: int) -> None:
    labels = np.random.default_rng(0).integers(0, classes, images)
    for repetition in range(3):
        tested = []
        for number in range(repetition * FOLDS, (repetition + 1) * FOLDS):
            train, test = split(labels, number)
            assert sorted([*train, *test]) == list(range(images))
            assert abs(len(test) - images / FOLDS) < 1
            for one in range(classes):
                share = (labels == one).sum() / FOLDS
                assert abs((labels[test] == one).sum() - share) < 1
            tested += list(test)
        assert sorted(tested) == list(range(images))
    sets = {tuple(split(labels, number)[1]) for number in range(3 * FOLDS)}
    assert len(sets) > 2 * FOLDS
    np.testing.assert_array_equal(split(labels, 7)[1], split(labels, 7)[1])


def test_labels_may_be_words_and_classes_small() -> None:
    labels = np.array(["cat"] * 9 + ["dog"] * 2 + ["eel"])
    for number in range(10):
        train, test = split(labels, number)
        assert "dog" in labels[train]  # of two of a class one is always learned from
        assert len(train) + len(test) == 12
    with pytest.raises(QuanvolveError, match="`splits` needs at least 10 images, and there are 9: add images, or "):
        split(labels[:9], 0)


def test_all_images_are_split_whatever_they_were_meant_for() -> None:
    images, labels = np.arange(24.0).reshape(6, 2, 2), np.arange(6) % 2
    data = Dataset("d", images[:3], labels[:3], images[3:5], labels[3:5], ("a", "b"), 2, images[5:], labels[5:])
    together, classes = pooled(data)
    np.testing.assert_array_equal(together, images)
    np.testing.assert_array_equal(classes, labels)


def test_repetitions_are_weighed_by_their_images() -> None:
    (one,) = repetitions({0: Outcome(1.0, 4, 0.5, 16), 3: Outcome(0.0, 6, 0.5, 14)})
    assert (one.score, one.n_test, one.baseline) == (0.4, 10, 0.5)


@pytest.mark.parametrize("kind", ["nothing to see", "each guesses", "a class each"])
def test_contenders_that_learn_nothing_are_called_collapsed(kind: str) -> None:
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(300):
        if kind == "nothing to see":
            (outcomes,) = Small(90, 3, nearest_mean, contrast=0.0).draw(rng, [0.0])
        else:
            outcomes = {}
            labels = np.arange(90) % 3
            for number in range(20):
                _, test = split(labels, number)
                answers = rng.integers(0, 3, len(test) if kind == "each guesses" else 1)
                outcomes[number] = Outcome(float((answers == labels[test]).mean()), len(test), 1 / 3, 72)
        missed += not SPLITS_UNIT.collapsed(outcomes)
    assert missed / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_splits_are_pooled_before_a_contender_is_called_collapsed() -> None:
    rights = [8, 9, 7, 9, 8] * 4  # of 18, of three classes: 46 %
    alone = [SPLITS_UNIT.collapsed({0: Outcome(right / 18, 18, 1 / 3, 72)}) for right in rights]
    assert all(alone)
    assert not SPLITS_UNIT.collapsed({k: Outcome(right / 18, 18, 1 / 3, 72) for k, right in enumerate(rights)})
    # Twenty splits of 90 images are not 360 images.
    assert SPLITS_UNIT.collapsed({k: Outcome(right / 18, 18, 0.4, 72) for k, right in enumerate([8] * 20)})


def test_splits_are_chosen_where_test_images_are_few(ninety: str, tmp_path: Path) -> None:
    chosen, few = with_unit(QUICK, ninety)
    assert (chosen.splits, few) == (USUAL_SPLITS, 18)
    assert chosen.seeds == tuple(range(USUAL_SPLITS))
    for asked in (replace(QUICK, splits=0), replace(QUICK, seeds=(0, 1, 2)), replace(QUICK, test_size=10),
                  replace(QUICK, splits=7)):  # fmt: skip
        assert with_unit(asked, ninety) == (asked, None)
    for n_test, unit in ((FEW_TEST_IMAGES - 1, SPLITS_UNIT), (FEW_TEST_IMAGES, SEEDS_UNIT)):
        data = write_digits(tmp_path / f"{n_test}.npz", 30, n_test)
        assert Plan(data, None, (), with_unit(QUICK, data)[0]).unit is unit


def test_protocols_of_splits_that_make_no_sense() -> None:
    for arguments, message in (
        ({"splits": -1}, r"`splits` \(=-1\) must be a whole number from 1 to "),
        ({"splits": True}, r"`splits` \(=True\) must be a whole number from 1 to "),
        ({"splits": 10**9}, r"`splits` \(=1000000000\) must be a whole number from 1 to 100,000, 0 for none"),
        ({"splits": 0.0}, r"`splits` \(=0.0\) must be a whole number, 0 for none"),
        ({"splits": 20, "seeds": (3, 4)}, r"`splits` \(=20\) and 2 `seeds` cannot both be given"),
        ({"splits": 20, "test_size": 9}, r"`splits` \(=20\) and `test_size` \(=9\) cannot both be given"),
    ):
        with pytest.raises(QuanvolveError, match=message):
            Protocol(**arguments)  # type: ignore[arg-type]


def test_ninety_digits_get_a_verdict(ninety: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "study"
    real, ran = work_module.run_trial, 0

    def interrupted(*arguments: Any) -> Any:
        nonlocal ran
        ran += 1
        if ran == 15:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(work_module, "run_trial", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare(ninety, folder, params=PARAMS, controls=["pixels"], protocol=QUICK)
    before = {row["id"]: row for row in Table(folder).rows() if row["status"] == "done"}
    assert len(before) == 14
    found = compare(None, folder, protocol=QUICK, resume=True)
    assert {row["id"]: row for row in found.rows if row["id"] in before} == before
    assert not contradictions(found)
    assert {one.outcome for one in found.comparisons} <= {"better", "worse", "no difference seen"}
    assert [one.n for one in found.comparisons] == [20]
    assert {(row["result"]["n_train"], row["result"]["n_test"]) for row in found.rows} == {(72, 18)}
    assert found.verdict()[-1] == (
        "The unit of comparison is the split, because the 18 test images of the data set, fewer than 100, are too few "
        "to show anything: 20 stratified splits of all images, repeated 5-fold, each with 72 for training and about 18 "
        "for testing, the same for all contenders; test, interval and power are corrected for the images that splits "
        "share."
    )
    text = page(found, title="ninety", command="quanvolve compare")
    for words in ("over 20 splits", "The unit of comparison is the split", "Every split is a dot", "dots are splits",
                  "Nadeau and Bengio", "mean over splits", "<th scope=\"col\">splits</th>"):  # fmt: skip
        assert words in text, words
    assert "seed by seed" not in text


def test_all_contenders_have_the_same_splits(ninety: str) -> None:
    plan = Plan(ninety, None, tuple(contenders_for(PARAMS, ["pixels"])), replace(QUICK, splits=10))
    first, again, other = (_parts(plan, number) for number in (3, 3, 4))
    np.testing.assert_array_equal(first.test_images, again.test_images)
    assert not np.array_equal(first.test_labels, other.test_labels)
    few = _parts(replace(plan, protocol=replace(plan.protocol, train_size=40)), 3)
    assert len(few.train_labels) == 40
    np.testing.assert_array_equal(few.test_images, first.test_images)


@pytest.mark.parametrize("name", ["Coffee", "ArrowHead"])
def test_series_of_the_archive_get_a_verdict(name: str, tmp_path: Path) -> None:
    """24 and 12 series, half of them for testing."""
    params = {"n_filters": 1, "kernel_size": 8, "stride": 8}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare(str(SERIES / name / f"{name}.npz"), tmp_path / name, params=params, controls=["subsampled"],
                        protocol=replace(QUICK, splits=10))  # fmt: skip
    assert found.finished
    assert not any(standing.failed for standing in found.standings)
    assert found.comparisons[0].outcome in ("better", "worse", "no difference seen", "collapsed")
    assert "The unit of comparison is the split, as was asked for: 10 stratified splits" in found.verdict()[-1]


def test_splits_are_extended(ninety: str, tmp_path: Path) -> None:
    table = Table.create(
        tmp_path / "s", Plan(ninety, None, tuple(contenders_for(PARAMS, ["pixels"])), replace(QUICK, splits=10), (), 18)
    )
    table.extend(Wanted(table.folder, protocol=QUICK))  # nothing is said about splits
    assert table.plan.protocol.splits == 10
    table.extend(Wanted(table.folder, protocol=replace(QUICK, splits=20)))
    assert Table(table.folder).plan.protocol.seeds == tuple(range(20))
    assert (Table(table.folder).plan.protocol.splits, Table(table.folder).plan.own_test_images) == (20, 18)
    assert table.counts()["pending"] == 40
    for changes, message in (
        ({"splits": 12}, r"`seeds` \(=0, .*\) lacks 12, 13, .* of the study"),
        ({"seeds": tuple(range(30))}, "has `splits` 20, and None is given"),
    ):
        with pytest.raises(QuanvolveError, match=message):
            table.extend(Wanted(table.folder, protocol=replace(QUICK, **changes)))
    of_seeds = Table.create(tmp_path / "t", Plan(ninety, None, table.plan.contenders, replace(QUICK, splits=0)))
    with pytest.raises(QuanvolveError, match="has `splits` 0, and 20 is given"):
        of_seeds.extend(Wanted(of_seeds.folder, protocol=replace(QUICK, splits=20)))
    of_seeds.extend(Wanted(of_seeds.folder, protocol=replace(QUICK, seeds=tuple(range(12)))))
    assert of_seeds.counts()["pending"] == 24


def test_plans_keep_their_unit() -> None:
    contenders = tuple(contenders_for(PARAMS, ["pixels"]))
    plan = Plan("digits", None, contenders, Protocol(splits=20), (), 18)
    assert Plan.from_json(plan.to_json()) == plan
    earlier = Plan("digits", None, contenders, Protocol())
    text = earlier.to_json().replace('"own_test_images": null, ', "").replace(', "splits": null', "")
    assert "splits" not in text
    assert Plan.from_json(text) == earlier
    assert earlier.unit is SEEDS_UNIT
    for wrong in ('"splits": 10000000000000', '"splits": "x"', '"splits": [1]', '"splits": 19'):
        with pytest.raises(ModelError, match="the plan of the study is damaged: "):
            Plan.from_json(plan.to_json().replace('"splits": 20', wrong))
    with pytest.raises(ModelError, match="its own test images are not a whole number"):
        Plan.from_json(plan.to_json().replace('"own_test_images": 18', '"own_test_images": "x"'))
