"""Trials on Dask: workers that die lose nothing, and every trial is in the table once."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from quanvolve import QuanvTransformer, load_dataset
from quanvolve._errors import QuanvolveError
from quanvolve.estimators import transform_on_disk
from quanvolve.study import Plan, Protocol, Table, compare, contenders_for
from quanvolve.study._cluster import slurm_options
from tests.waiting import PATIENCE, until

from .conftest import Cluster

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def test_a_worker_that_is_killed_costs_no_trial(cluster: Cluster, tmp_path: Path) -> None:
    protocol = Protocol(seeds=tuple(range(5)), lrs=(1e-2,), epochs=6, train_size=200, test_size=100)
    contenders = tuple(contenders_for({"n_filters": 1, "trainable": True}, ["pixels", "conv"]))
    folder = tmp_path / "study"
    table = Table.create(folder, Plan("digits", None, contenders, protocol))

    def kill() -> None:
        until(lambda: table.counts()["done"] >= 3, "three trials are done")
        cluster.workers[0].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    told: list[dict[str, int]] = []
    found = compare("", folder, resume=True, scheduler=cluster.address, progress=lambda counts, _: told.append(counts))
    killer.join()
    assert cluster.workers[0].poll() is not None
    rows = found.rows
    assert [row["status"] for row in rows] == ["done"] * 15
    assert sorted((row["contender"], row["seed"]) for row in rows) == sorted(table.plan.trials())
    assert {row["attempts"] for row in rows} == {1}
    assert told[-1]["done"] == 15
    params = {"n_filters": 1, "trainable": True}
    alone = compare("digits", tmp_path / "alone", params=params, controls=["pixels", "conv"], protocol=protocol)
    for one, other in zip(found.standings, alone.standings, strict=True):
        # Reductions over another number of threads round differently.
        assert one.mean == pytest.approx(other.mean, abs=0.02)


@pytest.mark.parametrize("kind", ["npy", "zarr"])
def test_feature_maps_on_disk_are_the_same_under_dask(cluster: Cluster, tmp_path: Path, kind: str) -> None:
    import distributed

    images = load_dataset("digits").train_images[:300]
    np.save(tmp_path / "images.npy", images)
    transformer = QuanvTransformer(n_filters=1, random_state=0).fit(images)
    with distributed.Client(cluster.address, timeout=PATIENCE) as client:
        found = transform_on_disk(
            transformer, tmp_path / "images.npy", tmp_path / f"maps.{kind}", block=64, client=client
        )
    np.testing.assert_allclose(np.asarray(found[:]), transformer.transform(images), atol=1e-6)


def test_schedulers_that_do_not_answer(tmp_path: Path) -> None:
    protocol = Protocol(seeds=(0,), lrs=(1e-2,), epochs=1)
    with pytest.raises(QuanvolveError, match=r"`scheduler` \(='tcp://127.0.0.1:1'\) does not answer"):
        compare("digits", tmp_path / "s", controls=["pixels"], protocol=protocol, scheduler="tcp://127.0.0.1:1")
    assert Table(tmp_path / "s").counts()["pending"] == 2
    with pytest.raises(QuanvolveError, match="`scheduler` has the option 'queue', expected name=value"):
        slurm_options("queue")
    assert slurm_options("jobs=3") == {"cores": 1, "memory": "4GB", "jobs": 3}
