"""The description of the API: true, complete, and its examples run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from jsonschema_rs import meta
from schemathesis.checks import not_a_server_error

from tests.studio.conftest import Make, Server

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
    jobs = {}
    jobs["compare"] = studio.job(
        kind="compare", dataset="digits", controls=["pixels"], seeds=2, epochs=1, train_size=100, filters=1
    )
    jobs["explain"], jobs["onnx"] = (studio.job(kind=kind, model=model) for kind in ("explain", "onnx"))
    for job in jobs.values():
        assert studio.wait(job, *FINISHED)["state"] == "done"
    return {"studio": studio, "model": model, "job": jobs["compare"]}


def sample(examples: dict[str, Any], lang: str, operation: str) -> str:
    openapi = examples["studio"].http.get("/api/v1/openapi.json").json()
    for path in openapi["paths"].values():
        for call in path.values():
            if call["operationId"] == operation:
                return next(one["source"] for one in call["x-codeSamples"] if one["lang"] == lang)
    raise AssertionError(operation)


OPERATIONS = [
    "about", "health", "metrics", "datasets", "samples", "circuits", "circuit_picture", "models", "model",
    "rename_model", "layer", "model_circuit", "predict", "predict_files", "feature_maps", "explanation", "onnx",
    "download", "create_job", "jobs", "job", "job_log", "job_events", "report", "stop_job", "resume_job",
    "delete_job", "delete_model",
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
    model, job = examples["model"], examples["job"]
    if operation in ("delete_model", "rename_model"):
        model = studio.http.get(f"/api/v1/jobs/{studio.job(kind='train', epochs=1)}").json()["model"]
        training = next(one for one in studio.http.get("/api/v1/jobs").json() if one["model"] == model)
        studio.http.post(f"/api/v1/jobs/{training['id']}/stop")
        studio.wait(training["id"], *FINISHED)
    if operation in ("resume_job", "delete_job", "stop_job"):
        job = studio.job(kind="train", epochs=2)
        if operation != "stop_job":
            studio.http.post(f"/api/v1/jobs/{job}/stop")
            studio.wait(job, *FINISHED)
    source = sample(examples, lang, operation)
    if lang == "Shell":
        environment = {"PATH": "/usr/bin:/bin", "STUDIO": studio.url, "MODEL": model, "JOB": job}
        done = subprocess.run(
            ["bash", "-c", source], cwd=drawing.parent, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said = done.stdout
    else:
        monkeypatch.chdir(drawing.parent)
        exec(source, {"studio": studio.url, "model": model, "job": job})
        said = capsys.readouterr().out
    wrote = [path for path in drawing.parent.iterdir() if path != drawing and path.is_file()]
    if operation not in ("delete_job", "delete_model"):
        assert said or wrote
    if operation in ("create_job", "resume_job"):
        for one in studio.http.get("/api/v1/jobs").json():
            if one["state"] not in FINISHED:
                studio.http.post(f"/api/v1/jobs/{one['id']}/stop")


def test_no_request_makes_the_server_fail(make: Make) -> None:
    client = make()
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", client.app)

    @schema.exclude(operation_id="job_events").parametrize()
    def call(case: Any) -> None:
        case.call_and_validate(checks=[not_a_server_error])

    from hypothesis import HealthCheck, Phase, given, settings

    rules = settings(max_examples=15, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
    count = 0
    for operation in schema.exclude(operation_id="job_events").get_all_operations():
        strategy = operation.ok().as_strategy()

        @rules
        @given(case=strategy)
        def attack(case: Any) -> None:
            answer = case.call(headers={"host": "127.0.0.1"})
            assert answer.status_code < 500, (case.method, case.path, answer.text)

        attack()
        count += 1
    assert count >= 25
