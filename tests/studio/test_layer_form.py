"""The options of the layer in the studio: what the page is told, what requests may hold, what jobs are asked to do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from quanvolve._options import model_options
from quanvolve.runs import OF_DATA, DataOptions
from quanvolve.studio import Settings, create_app
from quanvolve.studio._commands import command_of
from quanvolve.studio._forms import CompareRequest, TrainRequest
from quanvolve.studio._requests import check, facts_of_named, job_of

WORDS = {option.word for option in model_options().values() if option.plain}


def test_the_page_is_told_every_option(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(tmp_path)), base_url="http://localhost") as client:
        forms = client.get("/api/v1/circuits").json()["forms"]
    for kind, request in (("train", TrainRequest), ("compare", CompareRequest)):
        fields = {field["name"]: field for field in forms[kind]}
        assert set(fields) == set(request.model_fields) - {"kind", "controls"}
        assert set(fields) > WORDS
        usual = [name for name, field in fields.items() if not field["more"]]
        assert usual[:7] == ["dataset", "circuit", "encoding", "readout", "layers", "kernel_size", "stride"]
        assert fields["padding"] | {"default": None} == {
            "name": "padding", "kind": "text", "default": None, "choices": [], "least": None, "most": None,
            "whole": True, "help": "Pixels added at every edge: a number, same or valid.", "many": False, "more": True,
            "needs": None, "own": False,
        }  # fmt: skip
        assert (fields["init"]["kind"], fields["init"]["choices"]) == ("choice", ["auto", "uniform", "small"])
        assert (fields["diff_method"]["needs"], fields["bias"]["kind"]) == ("shots", "switch")
        assert (fields["shots"]["least"], fields["shots"]["most"]) == (1, 100_000)
    assert forms["compare"][-1]["name"] == "test_size"


def test_how_data_are_read_is_asked_as_on_the_command_line(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(tmp_path)), base_url="http://localhost") as client:
        forms = client.get("/api/v1/circuits").json()["forms"]
    for kind in ("train", "compare", "look"):
        own = {field["name"]: field for field in forms[kind] if field["own"]}
        assert tuple(own) == OF_DATA
        assert {name: field["default"] for name, field in own.items()} == asdict(DataOptions())
        assert own["fit"]["choices"] == ["crop", "pad", "stretch"]
        assert own["label"]["help"] == "The column that holds the labels, where there is a choice."
        assert {name: field["kind"] for name, field in own.items()} == {
            "image_size": "text", "fit": "choice", "grayscale": "switch", "label": "text", "columns": "choice",
            "channels": "choice", "task": "choice",
        }  # fmt: skip
    assert len(forms["look"]) == len(OF_DATA)
    training = {field["name"]: field for field in forms["train"]}
    assert (training["class_weight"]["choices"], training["class_weight"]["default"]) == (["balanced"], None)
    assert training["loss"]["choices"] == ["cross_entropy", "focal", "mse", "huber", "mae"]
    assert {"balanced_accuracy", "r2", "loss"} <= set(training["monitor"]["choices"])
    assert not {"class_weight", "loss", "monitor"} & {field["name"] for field in forms["compare"]}


def test_what_is_chosen_is_asked_of_the_command() -> None:
    chosen = {"padding": "same", "stride": 1, "bias": True, "noise": "bit_flip=0.1", "scale": 2.5, "qubits": 5}
    job, _ = job_of(TrainRequest(kind="train", **chosen))
    command = " ".join(command_of(job, Settings(Path("store"))))
    for part in ("--padding same", "--bias", "--noise bit_flip=0.1", "--scale 2.5", "--qubits 5", "--stride 1"):
        assert f"{part} " in command
    plain, _ = job_of(TrainRequest(kind="train"))
    assert plain.settings.keys() & WORDS == {
        "circuit", "encoding", "readout", "layers", "kernel_size", "stride", "trainable",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"padding": "sane"}, r"`padding` \(='sane'\) must be 'same', 'valid' or a number"),
        ({"padding": "same"}, r"`padding='same'` needs `stride=1`"),
        ({"padding": 1, "padding_mode": "mirror"}, r"`padding_mode` \(='mirror'\) must be one of"),
        ({"dilation": 8}, r"a window of 9x9 is larger than the padded image of 8x8"),
        ({"groups": 2, "backbone": "classical"}, r"must be divisible by `groups` \(=2\)"),
        ({"engine": "fast"}, r"`engine` \(='fast'\) must be one of"),
        ({"noise": "bit_flop=0.1"}, r"`noise` has the unknown channel 'bit_flop'"),
        ({"noise": "much"}, r"`noise=much` is not a list of names and strengths"),
        ({"qubits": 3}, r"`n_qubits` \(=3\) must be at least 4"),
        ({"scale": 1e308}, r"`scale` \(=1e\+308\) must be finite"),
        ({"diff_method": "parameter-shift"}, r"`diff_method` .* is for layers with `shots`"),
        ({"init": "tiny"}, r"`init` \(='tiny'\) must be one of"),
    ],
)
def test_what_does_not_fit_is_answered_and_not_queued(chosen: dict[str, Any], message: str, tmp_path: Path) -> None:
    request = TrainRequest(kind="train", **chosen)
    facts = facts_of_named(request, Settings(tmp_path))
    with pytest.raises(ValueError, match=message):
        check(request, facts)


@pytest.mark.parametrize(
    "chosen", [{"padding": -1}, {"padding": 65}, {"noise": "a b"}, {"shots": 0}, {"bias": "maybe"}]
)
def test_values_of_the_wrong_kind(chosen: dict[str, Any]) -> None:
    (name,) = chosen
    with pytest.raises(ValidationError, match=name):
        TrainRequest(kind="train", **chosen)
