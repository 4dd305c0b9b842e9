"""`quanvolve explain` and `quanvolve export` on trained runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quanvolve import load, load_dataset

from .conftest import Result, cli, ok, refused


def test_a_page_and_a_summary(run: Path, tmp_path: Path) -> None:
    result = ok("explain", run)
    lines = result.out.splitlines()
    assert lines[-1] == f"wrote {run / 'explanation.html'}"
    assert lines[0].split(" ", 1)[1].startswith("parameters, 96 of them quantum; of these 80 have an effect")
    assert any(line.startswith("ch0 reads x") for line in lines)
    assert "... and 8 more channels, in the page" in lines
    page = (run / "explanation.html").read_text(encoding="utf-8")
    assert "<h2>Confusion</h2>" in page
    metrics = json.loads((run / "metrics.json").read_text())
    assert f"<dd>{metrics['test_accuracy']:.4f}</dd>" in page
    found = ok("explain", run, "--output", tmp_path / "other.html", "--json").json
    assert found["page"] == str(tmp_path / "other.html")
    assert len(found["channels"]) == 16
    assert 0 <= found["channels"][0]["total"][0] <= 1
    assert [path.name for path in tmp_path.glob("*.html")] == ["other.html"]


def test_a_model_saved_from_python(run: Path, tmp_path: Path) -> None:
    (run / "run.json").unlink()
    assert "does not say which data set it was trained on: give one after it" in refused("explain", run)
    assert ok("explain", run, "digits").out.splitlines()[-1] == f"wrote {run / 'explanation.html'}"
    page = (run / "explanation.html").read_text(encoding="utf-8")
    assert f"quanvolve explain {run} digits" in page
    assert "80 have an effect" in ok("explain", run, "digits", "--audit").out
    folder = tmp_path / "saved"
    load(run).save(folder)
    found = ok("explain", folder, "digits", "--json").json
    assert found["page"] == str(folder / "explanation.html")
    assert "<h2>Confusion</h2>" not in (folder / "explanation.html").read_text(encoding="utf-8")


def test_results_of_other_data_are_not_shown_as_those_of_these(run: Path, tmp_path: Path) -> None:
    data = load_dataset("digits")
    few = tmp_path / "few.npz"
    np.savez(few, images=data.test_images[:60], labels=data.test_labels[:60])
    ok("explain", run, few)
    page = (run / "explanation.html").read_text(encoding="utf-8")
    assert "few: run" in page
    assert "<h2>Confusion</h2>" not in page


def test_an_audit_alone(run: Path) -> None:
    before = sorted(path.name for path in run.iterdir())
    text = ok("explain", run, "--audit").out
    assert "backbone (strongly_entangling): 16 of 96 weights change no output" in text
    found = ok("explain", run, "--audit", "--json").json
    assert found["audit"]["layers"][0]["n_weights"] == 96
    assert "\n".join(found["findings"]) + "\n" == text
    assert sorted(path.name for path in run.iterdir()) == before


def test_the_dead_layer_is_called_dead(tmp_path: Path) -> None:
    folder = tmp_path / "dead"
    ok("train", "digits", "--circuit", "basic_entangler", "--layers", 1, "--filters", 1, "--trainable", "--epochs", 1,
       "--output", folder, "--quiet")  # fmt: skip
    text = ok("explain", folder, "--audit").out
    assert "Nothing to train: whatever the 4 weights do, they only rescale, shift or mix the channels" in text


def test_wrong_arguments_of_explain(run: Path, tmp_path: Path, write_npz: Callable[..., Path]) -> None:
    assert "no is not a model folder: cannot read config.json" in refused("explain", tmp_path / "no")
    (tmp_path / "empty").mkdir()
    assert refused("explain", tmp_path / "empty")
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "page.html"
    assert refused("explain", run, "--output", below) == (
        f"--output {below} cannot be made: Not a directory; choose another file"
    )
    plain = tmp_path / "plain"
    ok("train", write_npz(), "--backbone", "none", "--epochs", 1, "--output", plain, "--quiet")
    assert "has no quantum layer, which this command is about" in refused("explain", plain)
    (run / "metrics.json").write_text("{")
    assert "metrics.json is damaged" in refused("explain", run)


def test_a_page_that_cannot_be_written_leaves_nothing(run: Path, tmp_path: Path) -> None:
    message = refused("explain", run, "--output", "/proc/no/x.html")
    assert message == "'/proc/no': No such file or directory"
    ok("explain", run, "--output", tmp_path / "new" / "x.html")  # folders on the way are made
    assert (tmp_path / "new" / "x.html").is_file()


# -- export ----------------------------------------------------------------------------------------------------------


def test_onnx_classifies_as_the_run_does(run: Path, tmp_path: Path) -> None:
    import onnxruntime

    result = ok("export", run, "--to", "onnx", "--output", tmp_path / "model.onnx")
    assert result.out.splitlines()[0] == f"wrote {tmp_path / 'model.onnx'}"
    assert "checked on 16 random images: its probabilities differ by at most " in result.out
    images = load_dataset("digits").test_images
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    (found,) = session.run(None, {"images": images.astype(np.float32).reshape(-1, 1, 8, 8)})
    np.testing.assert_allclose(found, load(run).predict_proba(images), rtol=0, atol=1e-5)


@pytest.mark.parametrize("form", ["torch", "openqasm3", "qiskit"])
def test_other_forms(run: Path, tmp_path: Path, form: str) -> None:
    found = ok("export", run, "--to", form, "--output", tmp_path / "out.x", "--json").json
    files = sorted(path.name for path in tmp_path.glob("out*"))
    assert sorted(Path(path).name for path in found["files"]) == files
    if form == "openqasm3":
        assert files == [f"out-backbone_filter{k}.x" for k in range(4)]
        assert (tmp_path / files[0]).read_text().startswith("OPENQASM 3.0;\n")
    else:
        assert files == ["out.x"]
    if form != "torch":
        assert found["circuits"] == [f"backbone_filter{k}" for k in range(4)]


def test_wrong_arguments_of_export(trained: tuple[Path, Result], tmp_path: Path) -> None:
    run = trained[0]
    assert "'pdf' is not one of 'onnx', 'torch', 'openqasm3', 'qiskit'" in refused(
        "export", run, "--to", "pdf", "--output", "x"
    )
    assert "missing option '--output'" in refused("export", run, "--to", "onnx")
    assert refused("export", run, "--to", "torch", "--output", tmp_path) == (
        f"--output {tmp_path} is a folder, expected a file"
    )
    for form in ("torch", "openqasm3", "qiskit"):
        assert "No such file or directory" in refused("export", run, "--to", form, "--output", "/proc/no/x")
    assert cli("export", tmp_path / "no", "--to", "onnx", "--output", tmp_path / "x").code == 2
    assert list(tmp_path.iterdir()) == []
