"""The description of the API: true, complete, and its examples run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import booleans
from jsonschema_rs import meta
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.studio.conftest import Server
from tests.studio.own import bring, photographs
from tests.waiting import PATIENCE

FINISHED = ("done", "failed", "stopped")


def test_it_is_openapi_3_1_and_every_call_is_told(served: Server) -> None:
    openapi = served.http.get("/api/v1/openapi.json").json()
    assert openapi["openapi"] == "3.1.0"
    calls = [call for path in openapi["paths"].values() for call in path.values()]
    assert len({call["operationId"] for call in calls}) == len(calls) >= 25
    for call in calls:
        assert call["description"]
        assert len(call["x-codeSamples"]) == 2
        assert {"4XX", "5XX"} <= set(call["responses"])
    for schema in openapi["components"]["schemas"].values():
        meta.validate(schema)
    text = served.http.get("/docs").text
    for path in openapi["paths"]:
        assert f"<code>{path}</code>" in text
    assert not re.search(r"https?://(?!127)", text)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory, served: Server) -> dict[str, Any]:
    """A studio with everything that the examples ask for."""
    studio = served
    (model,) = [one["id"] for one in studio.http.get("/api/v1/models").json() if one["name"] == "digits-run"]
    # What takes jobs long to make has tests of its own.
    for name in ("explanation.html", "model.onnx", "residuals.png"):
        (studio.folder / "models" / model / name).write_text("made")
    job = studio.job(kind="compare", dataset="digits", controls=["pixels"], seeds=2, epochs=1, train_size=100)
    studio.http.post(f"/api/v1/jobs/{job}/stop")
    studio.wait(job, *FINISHED)
    report = studio.folder / "studies" / job / "report.html"
    report.parent.mkdir(exist_ok=True)
    report.write_text("made")
    (studio.folder / "logs" / f"{job}.log").write_text("epoch 1 of 2\n")
    data = bring(studio.http, photographs())
    return {"studio": studio, "model": model, "job": job, "data": data}


def sample(examples: dict[str, Any], lang: str, operation: str) -> str:
    openapi = examples["studio"].http.get("/api/v1/openapi.json").json()
    for path in openapi["paths"].values():
        for call in path.values():
            if call["operationId"] == operation:
                return next(one["source"] for one in call["x-codeSamples"] if one["lang"] == lang)
    raise AssertionError(operation)


OPERATIONS = [
    "about", "health", "metrics", "datasets", "samples", "circuits", "circuit_picture", "models", "model",
    "rename_model", "layer", "model_circuit", "model_samples", "residuals",
    "predict", "predict_files", "feature_maps", "explanation", "onnx",
    "download", "create_job", "jobs", "job", "job_log", "job_events", "report", "stop_job", "resume_job",
    "delete_job", "delete_model", "own_data", "add_data", "own_data_set", "add_files", "look", "look_picture",
    "rename_data", "delete_data",
]  # fmt: skip


def test_all_calls_are_in_the_examples(served: Server) -> None:
    openapi = served.http.get("/api/v1/openapi.json").json()
    assert {call["operationId"] for path in openapi["paths"].values() for call in path.values()} == set(OPERATIONS)


@pytest.mark.parametrize("lang", ["Shell", "Python"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_examples_run(
    examples: dict[str, Any], lang: str, operation: str, drawing: Path, trained: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    studio: Server = examples["studio"]
    model, job, data, look = examples["model"], examples["job"], examples["data"], ""
    if operation in ("delete_data", "add_files"):
        data = bring(studio.http, photographs())
    if operation == "look_picture":
        look = studio.http.post(f"/api/v1/data/{data}/look", json={}).json()["look"]
    if operation in ("delete_model", "rename_model"):
        model = studio.http.get(f"/api/v1/jobs/{studio.job(kind='train', epochs=1)}").json()["model"]
        training = next(one for one in studio.http.get("/api/v1/jobs").json() if one["model"] == model)
        studio.http.post(f"/api/v1/jobs/{training['id']}/stop")
        studio.wait(training["id"], *FINISHED)
    if operation in ("resume_job", "delete_job", "stop_job"):
        job = studio.job(kind="train", epochs=400)  # it must not be done before it is stopped
        if operation != "stop_job":
            studio.http.post(f"/api/v1/jobs/{job}/stop")
            studio.wait(job, *FINISHED)
    source = sample(examples, lang, operation)
    if lang == "Shell":
        environment = {"PATH": "/usr/bin:/bin", "STUDIO": studio.url, "MODEL": model, "JOB": job, "DATA": data,
                       "LOOK": look}  # fmt: skip
        done = subprocess.run(
            ["bash", "-c", source],
            cwd=drawing.parent,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said = done.stdout
    else:
        monkeypatch.chdir(drawing.parent)
        exec(source, {"studio": studio.url, "model": model, "job": job, "data": data, "look": look})
        said = capsys.readouterr().out
    wrote = [path for path in drawing.parent.iterdir() if path != drawing and path.is_file()]
    if operation not in ("delete_job", "delete_model", "delete_data"):
        assert said or wrote
    if operation in ("create_job", "resume_job"):
        for one in studio.http.get("/api/v1/jobs").json():
            if one["state"] not in FINISHED:
                studio.http.post(f"/api/v1/jobs/{one['id']}/stop")


def test_no_request_makes_the_server_fail(serve: Any, trained: Path) -> None:
    """Random requests, right and wrong, to every call: no 5xx, and every answer is as it is described."""
    server = serve("--no-first-model", "--jobs", "0", "--model", str(trained))
    schema = schemathesis.openapi.from_url(f"{server.url}/api/v1/openapi.json")
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    (model,) = [one["id"] for one in server.http.get("/api/v1/models").json()]
    seen: set[int] = set()
    asked = 0
    for mode in GenerationMode:
        for operation in schema.exclude(operation_id="job_events").get_all_operations():

            @settings(max_examples=12, suppress_health_check=list(HealthCheck))
            @given(case=operation.ok().as_strategy(generation_mode=mode), mine=booleans())
            def attack(case: Any, mine: bool) -> None:
                if mine and "model" in (case.path_parameters or {}) and case.method != "DELETE":
                    case.path_parameters["model"] = model
                answer = case.call(timeout=PATIENCE)
                seen.add(answer.status_code)
                case.validate_response(answer, checks=checks)

            try:
                attack()
                asked += 1
            except Unsatisfiable:  # calls without arguments cannot be made wrongly
                assert mode is GenerationMode.NEGATIVE
    assert asked >= 45
    assert {200, 201, 404, 422} <= seen
    assert server.http.get(f"/api/v1/models/{model}").status_code == 200
