"""The program lets no thread of torch spin; who has chosen otherwise keeps that."""

from __future__ import annotations

import os

import pytest

from quanvolve import __main__, _interrupt


@pytest.mark.parametrize("chosen", [None, "ACTIVE"])
def test_threads_wait_asleep(chosen: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", chosen or "")
    if chosen is None:
        del os.environ["OMP_WAIT_POLICY"]
    monkeypatch.setattr(_interrupt, "listen", lambda: None)
    monkeypatch.setattr(_interrupt, "unwinding", lambda main: 0)
    assert __main__.run() == 0
    assert os.environ["OMP_WAIT_POLICY"] == (chosen or "PASSIVE")
