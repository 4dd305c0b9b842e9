"""Mini-batches: every sample once, in a new order each pass, never a batch of one if it can be helped."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quanvolve.estimators._batches import Batches, TensorData


@given(st.integers(1, 70), st.integers(1, 20), st.booleans())
def test_every_sample_comes_once(n, batch_size, shuffle):
    data = TensorData(torch.arange(n), torch.arange(n) * 2)
    batches = list(Batches(data, batch_size, shuffle))
    assert len(batches) == len(Batches(data, batch_size, shuffle))
    assert sorted(torch.cat([x for x, _ in batches]).tolist()) == list(range(n))
    assert all(torch.equal(2 * x, y) for x, y in batches)
    assert min(len(x) for x, _ in batches) > 1 or batch_size == 1 or n == 1


@pytest.mark.parametrize("shuffle", [False, True])
def test_order(shuffle):
    batches = Batches(TensorData(torch.arange(100), torch.arange(100)), 10, shuffle)
    first, second = (torch.cat([x for x, _ in batches]) for _ in range(2))
    assert torch.equal(first, second) is not shuffle
