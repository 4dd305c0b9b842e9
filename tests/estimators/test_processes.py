"""Training over two processes with accelerate and gloo: the loss curve of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from quanvolve import QuanvClassifier, load_dataset
from quanvolve.estimators._batches import Batches, TensorData
from tests.waiting import PATIENCE

CODE = """
import json, sys
from accelerate import PartialState
from quanvolve import QuanvClassifier, load_dataset
data = load_dataset("digits")
clf = QuanvClassifier(n_filters=1, trainable=True, max_epochs=3, batch_size=32, random_state=0, device="accelerate")
clf.fit(data.train_images[:320], data.train_labels[:320])
probabilities = clf.predict_proba(data.test_images)
state = PartialState()
if state.is_main_process:
    rows = [[row["train_loss"], row["valid_loss"], row["valid_accuracy"]] for row in clf.history_]
    json.dump({"n": state.num_processes, "rows": rows, "p": probabilities.tolist()}, open(sys.argv[1], "w"))
"""


def test_two_processes_learn_as_one_does(tmp_path: Path) -> None:
    script, out = tmp_path / "train.py", tmp_path / "out.json"
    script.write_text(CODE)
    launch = [
        sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines",
        "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0", str(script), str(out),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(launch, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(out.read_text())
    assert found["n"] == 2
    data = load_dataset("digits")
    clf = QuanvClassifier(n_filters=1, trainable=True, max_epochs=3, batch_size=32, random_state=0)
    clf.fit(data.train_images[:320], data.train_labels[:320])
    rows = [[row["train_loss"], row["valid_loss"], row["valid_accuracy"]] for row in clf.history_]
    np.testing.assert_allclose(found["rows"], rows, rtol=1e-5)
    np.testing.assert_allclose(found["p"], clf.predict_proba(data.test_images), atol=1e-4)


@pytest.mark.parametrize("count", [2, 3])
def test_processes_share_batches_evenly(count: int) -> None:
    import torch

    data = TensorData(torch.arange(35).float(), torch.arange(35))
    parts = []
    for process in range(count):
        torch.manual_seed(0)
        parts.append([labels.tolist() for _, labels in Batches(data, 8, shuffle=True, share=(process, count))])
    torch.manual_seed(0)
    whole = [labels.tolist() for _, labels in Batches(data, 8, shuffle=True)]
    for number, batch in enumerate(whole):
        own = [part[number] for part in parts]
        assert {len(part) for part in own} == {len(batch) // count}
        assert sum(own, []) == batch[: len(batch) // count * count]  # noqa: RUF017
