"""What to cite: every name of the catalogue has its paper, and models name what they use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from quanvolve import CoherentTree, Quanv2d, QuanvClassifier, cite, load, load_dataset
from quanvolve._bibliography import BIBLIOGRAPHY, bibtex_of
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS


def keys(text: str) -> list[str]:
    return re.findall(r"^@\w+\{(\w+),", text, re.MULTILINE)


@pytest.mark.parametrize("table", [ANSATZE, ENCODINGS, READOUTS], ids=["circuits", "encodings", "readouts"])
def test_every_name_of_the_catalogue_has_its_paper(table: dict) -> None:  # type: ignore[type-arg]
    for name, entry in table.items():
        assert bibtex_of(entry.reference) in BIBLIOGRAPHY.values(), name


def test_entries_are_whole() -> None:
    assert len(BIBLIOGRAPHY) == 25
    for key, entry in BIBLIOGRAPHY.items():
        assert entry.count("{") == entry.count("}"), key
        assert {"author = {", "title = {", "year = {"} <= set(re.findall(r"\b(?:author|title|year) = \{", entry)), key
        fields = re.findall(r"(?:^|, )\s*(\w+) = ", entry, re.MULTILINE)
        assert len(fields) == len(set(fields)), key


def test_a_layer_cites_what_it_uses() -> None:
    layer = Quanv2d(1, 4, 2, encoding="dense", readout="probs", noise={"depolarizing": 0.1}, init="small")
    assert keys(cite(layer)) == [
        "quanvolve", "henderson2020quanvolutional", "larose2020robust", "schuld2020circuit", "nielsen2010quantum",
        "schuld2021effect", "zhang2022escaping",
    ]  # fmt: skip
    shots = Quanv2d(1, 4, 2, shots=100, diff_method="parameter-shift")
    assert "mitarai2018quantum" in keys(cite(shots))
    assert "markov2008simulating" in keys(cite(Quanv2d(1, 9, 3)))


def test_a_saved_classifier_still_knows(tmp_path: Path) -> None:
    data = load_dataset("digits")
    clf = QuanvClassifier(encoding="rx", readout="x", circuit="grid", head="quantum", max_epochs=1)
    clf.fit(data.train_images[:60], data.train_labels[:60]).save(tmp_path)
    found = keys(cite(clf))
    assert {"mari2020transfer", "schuld2021machine", "arute2019quantum", "nielsen2010quantum"} <= set(found)
    assert len(found) == len(set(found))
    assert cite(load(tmp_path)) == cite(clf)
    preset = QuanvClassifier.from_preset("quantum", max_epochs=1).fit(data.train_images[:60], data.train_labels[:60])
    preset.save(tmp_path / "preset")
    assert cite(load(tmp_path / "preset")) == cite(preset)


def test_a_tree_cites_what_it_uses() -> None:
    assert keys(cite(CoherentTree(1, 4))) == [
        "quanvolve", "cong2019quantum", "huggins2019towards", "schuld2021effect", "mari2020demo",
    ]  # fmt: skip


def test_circuits_of_ones_own_have_no_paper() -> None:
    from quanvolve.circuits import named_circuit

    assert keys(cite(Quanv2d(1, 4, 2, circuit=named_circuit("basic_entangler", 4)))) == [
        "quanvolve", "henderson2020quanvolutional", "schuld2021effect",
    ]  # fmt: skip


def test_models_without_quantum_layers_are_refused() -> None:
    with pytest.raises(QuanvolveError, match="`model` is a Linear without a quantum layer: nothing to cite"):
        cite(torch.nn.Linear(1, 1))
