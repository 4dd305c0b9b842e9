"""Studies whose file says something else than was written: refused in one line, by everything that reads them."""

from __future__ import annotations

import json
import math
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve.cli._study import _as_csv, say
from quanvolve.study import Choice, Contender, Plan, Protocol, Range, Table, markdown, parse_space, results_of
from quanvolve.study._table import this_worker
from tests.estimators.test_hostile import VALUES, mutated

RESULT = {
    "test_accuracy": 0.5, "n_test": 60, "n_train": 300, "majority": 0.1, "valid_accuracy": 0.4, "lr": 0.01,
    "tried": [[0.01, 0.4]], "seconds": 1.0, "parameters": {"total": 5, "trained": 3, "quantum": 2},
    "learning_curve": [0.3, 0.4],
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study, one of whose trials failed. Not to be changed."""
    folder = tmp_path_factory.mktemp("study") / "study"
    contenders = (Contender("model", "the model", {"n_filters": 1}), Contender("pixels", "p", {"backbone": "none"}))
    table = Table.create(folder, Plan("digits", None, contenders, Protocol(seeds=(0, 1, 2, 3))))
    for number in range(8):
        trial = table.claim(this_worker())
        assert trial is not None
        result = {**RESULT, "test_accuracy": 0.5 + 0.01 * number}
        table.finish(trial, this_worker(), None if number == 7 else result, "it broke", config={}, versions={"a": "1"})
    return folder


def change(folder: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(folder / "study.sqlite")
    with connection:
        connection.execute(statement, values)
    connection.close()


def use(folder: Path) -> None:
    """Everything that reads a study."""
    table = Table(folder)
    _as_csv(table.rows(), table.plan.metric)
    found = results_of(table)
    found.verdict()
    json.dumps(say(found), allow_nan=False)
    markdown(found)


def outcome(folder: Path) -> str:
    try:
        use(folder)
    except QuanvolveError as error:
        return str(error)
    return ""


def test_the_study_itself_is_whole(study: Path) -> None:
    use(study)


COLUMNS = ("contender", "seed", "status", "worker", "alive", "started", "finished", "attempts", "config", "result",
           "error", "versions")  # fmt: skip
CELLS = (None, 3, -1, 1.5, 1e308, math.inf, "", "x", "\0", "[]", "[1]", "null", "{", '{"a": 1}', "[" * 10_000, b"\xff",
         b"", "running", "done", "failed", 2**62)  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
def test_any_cell_is_taken_or_refused_in_one_line(column: str, study: Path, tmp_path: Path) -> None:
    refused = 0
    for number, value in enumerate(CELLS):
        folder = Path(shutil.copytree(study, tmp_path / str(number)))
        try:
            change(folder, f"UPDATE trials SET {column} = ? WHERE id = 2", value)
        except sqlite3.IntegrityError:
            continue  # the table's own rules
        said = outcome(folder)
        assert "\n" not in said
        assert not said or "study.sqlite is damaged: " in said
        refused += bool(said)
    assert refused >= 2


@pytest.mark.parametrize("seed", range(3))
def test_any_change_of_a_result_is_taken_or_refused(seed: int, study: Path, tmp_path: Path) -> None:
    rng = random.Random(seed)
    folder = Path(shutil.copytree(study, tmp_path / "study"))
    refused = 0
    for _ in range(60):
        change(folder, "UPDATE trials SET result = ? WHERE id = 3", json.dumps(mutated(RESULT, rng)))
        said = outcome(folder)
        assert "\n" not in said
        refused += bool(said)
    assert 20 < refused < 60


@pytest.mark.parametrize("seed", range(3))
def test_any_change_of_a_plan_is_taken_or_refused(seed: int, study: Path, tmp_path: Path) -> None:
    rng = random.Random(seed)
    folder = Path(shutil.copytree(study, tmp_path / "study"))
    plan = json.loads(Table(study).plan.to_json())
    refused = 0
    for _ in range(60):
        change(folder, "UPDATE study SET value = ? WHERE name = 'plan'", json.dumps(mutated(plan, rng)))
        said = outcome(folder)
        assert "\n" not in said
        refused += bool(said)
    assert 20 < refused < 60


ENDLESS = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id FROM n) SELECT * FROM n"
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no plan": (lambda f: change(f, "DELETE FROM study"), "it has no plan"),
    "a plan of bytes": (lambda f: change(f, "UPDATE study SET value = ?", b"\xff\xfe"), "it has no plan"),
    "a plan that is no text": (
        lambda f: change(f, "UPDATE study SET value = CAST(? AS TEXT)", b"\xff"), "cannot be used",
    ),
    "a deep plan": (lambda f: change(f, "UPDATE study SET value = ?", "[" * 10**5), "it is nested too deeply"),
    "a long result": (lambda f: change(f, "UPDATE trials SET result = ?", "x" * 2**23), "too big"),
    "long results": (
        lambda f: change(f, "UPDATE trials SET result = ?1, config = ?1, error = ?1", " " * 2**22),
        "it has 8 trials of 100,66",
    ),
    "many trials": (
        lambda f: change(
            f, "WITH RECURSIVE n(i) AS (SELECT 9 UNION ALL SELECT i + 1 FROM n WHERE i < 100100) "
            "INSERT INTO trials (id, contender, seed, status) SELECT i, 'model', i, 'pending' FROM n",
        ),
        "it has 100,100 trials",
    ),
    "a view that never ends": (
        lambda f: (
            change(f, "DROP TABLE trials"),
            change(f, f"CREATE VIEW trials AS {ENDLESS}"),
        ),
        "it has not the tables of a study",
    ),
    "no trials": (lambda f: change(f, "DROP TABLE trials"), "it has not the tables of a study"),
    "another column": (lambda f: change(f, "ALTER TABLE trials DROP COLUMN versions"), "no such column"),
    "cut": (lambda f: (f / "study.sqlite").write_bytes((f / "study.sqlite").read_bytes()[:5000]), "study.sqlite"),
    "empty": (lambda f: (f / "study.sqlite").write_bytes(b""), "it has not the tables of a study"),
    "a folder": (lambda f: ((f / "study.sqlite").unlink(), (f / "study.sqlite").mkdir()), "has no study.sqlite"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_any_other_file_is_refused(kind: str, study: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(study, tmp_path / "study"))
    FILES[kind][0](folder)
    with pytest.raises(ModelError) as caught:
        use(folder)
    assert FILES[kind][1] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_worker_that_cannot_be_is_gone(value: Any, study: Path, tmp_path: Path) -> None:
    """Whatever the name and last sign of life of a worker, its trial is given to another."""
    folder = Path(shutil.copytree(study, tmp_path / "study"))
    cell = value if isinstance(value, str | float | None) or (isinstance(value, int) and abs(value) < 2**62) else "x:y"
    change(folder, "UPDATE trials SET status = 'running', worker = ?, alive = ? WHERE id = 2", cell, None)
    trial = Table(folder).claim(this_worker())
    assert trial is not None
    assert trial.id == 2


def test_a_trial_that_is_not_the_plans_is_not_begun(study: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(study, tmp_path / "study"))
    change(folder, "UPDATE trials SET status = 'pending', contender = 'other' WHERE id = 2")
    with pytest.raises(ModelError, match=r"is damaged: trial 2 is of 'other' with seed 0"):
        Table(folder).claim(this_worker())


@pytest.mark.parametrize("text", ["1..1e400", "0..9007199254740993000", "-1e300..1", "nan..1"])
def test_ranges_of_a_search_are_of_numbers_that_can_be_told_apart(text: str) -> None:
    with pytest.raises(QuanvolveError, match=r"the space of `n_filters` \(="):
        parse_space({"n_filters": text})


def test_a_grid_has_not_more_steps_than_can_be_tried() -> None:
    assert parse_space({"n_filters": "1..10000"})["n_filters"].grid() == list(range(1, 10_001))
    with pytest.raises(QuanvolveError, match=r"a grid over 1 to 1000000000000 has more than 10,000 steps"):
        Range(1, 10**12, whole=True).grid()
    assert Choice((1, 2)).grid() == [1, 2]
