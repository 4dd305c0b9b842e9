"""`quanvolve compare` on small data of one's own: splits in place of seeds, and a verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quanvolve import load_dataset
from quanvolve.studio import Settings
from quanvolve.studio._commands import command_of
from quanvolve.studio._tables import Job
from quanvolve.study import SEEDS, Table

from .conftest import ok, refused

QUICK = ("--controls", "pixels", "--filters", 1, "--fixed", "--epochs", 6, "--batch-size", 16, "--lr", "3e-2")


@pytest.fixture(scope="module")
def ninety(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 digits, 18 of them for testing."""
    path, digits = tmp_path_factory.mktemp("ninety") / "ninety.npz", load_dataset("digits")
    images, labels = digits.train_images, digits.train_labels
    np.savez(
        path, train_images=images[:72], train_labels=labels[:72], test_images=images[72:90], test_labels=labels[72:90]
    )
    return path


def test_ninety_digits_get_a_verdict(ninety: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    lines = ok("compare", ninety, "--output", folder, *QUICK).out.splitlines()
    assert lines[0] == (
        "18 test images are too few to show anything: compared over 20 splits of all images (--splits N for another "
        "number, --seeds N for seeds, all on these test images)"
    )
    assert "40 of 40 trials done" in lines
    (verdict,) = [line for line in lines if "points of accuracy" in line]
    assert verdict.startswith(("The quantum model is ", "No difference seen against the control 'pixels': "))
    assert " over 20 splits" in verdict
    why = "The unit of comparison is the split, because the 18 test images of the data set, fewer than 100, are too few"
    assert lines[-2].startswith(why)
    for report in ("report.html", "report.md"):
        text = (folder / report).read_text(encoding="utf-8")
        assert verdict in text.replace("&#39;", "'")
        assert why in text
    assert "quanvolve compare ninety.npz --splits 20 " in (folder / "report.html").read_text(encoding="utf-8")
    found = ok("study", "show", folder, "--json").json
    assert (found["unit"], found["comparisons"][0]["unit"], found["comparisons"][0]["n"]) == ("split", "split", 20)
    # More of them are added, and seeds are not.
    ok("compare", "--output", folder, "--resume", "--splits", 22)
    assert Table(folder).counts()["done"] == 44
    said = refused("compare", "--output", folder, "--resume", "--seeds", 30)
    assert said.startswith("`splits` (=22) and 30 `seeds` cannot both be given: ")


def test_the_unit_can_be_asked_for(ninety: Path, tmp_path: Path) -> None:
    text = ok("compare", ninety, "--output", tmp_path / "splits", "--splits", 2, *QUICK).out
    assert "2 splits cannot show any difference among 1 controls, however large: at least 10 can (--splits 10)" in text
    assert "The unit of comparison is the split, as was asked for: 2 stratified splits" in text
    for number, asked in enumerate((("--seeds", 2), ("--splits", 0, "--seeds", 2))):
        text = ok("compare", ninety, "--output", tmp_path / str(number), *asked, *QUICK).out
        assert "2 seeds cannot show any difference among 1 control, however large: at least 6 can." in text
        assert "split" not in text
    said = refused("compare", ninety, "--output", tmp_path / "both", "--seeds", 20, "--splits", 20, *QUICK)
    assert said == "--seeds and --splits cannot both be given: each split draws with a seed of its own"


def test_the_studio_leaves_the_unit_open_with_the_usual_seeds() -> None:
    for seeds, asked in ((SEEDS, False), (SEEDS + 1, True)):
        job = Job(id="0123456789ab", kind="compare", settings={"dataset": "digits", "seeds": seeds, "epochs": 2})
        assert ("--seeds" in command_of(job, Settings(Path("store")))) == asked
