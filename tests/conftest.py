"""What all tests share: one thread, and hypothesis without clocks, files or luck."""

import gc
import os

# Also for processes that tests start: threads of several of them that wait for each other take all processors.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# scikit-learn leaves out its array API checks without this, which SciPy reads when it is imported.
os.environ["SCIPY_ARRAY_API"] = "1"

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests.browser import browser as browser  # one for all tests of pages
from tests.postgres import postgres as postgres  # one for all tests of databases

torch.set_num_threads(1)
settings.register_profile(
    "quanvolve", deadline=None, database=None, derandomize=True, max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.load_profile("quanvolve")


@pytest.fixture(autouse=True, scope="module")
def earlier_objects() -> None:
    """Objects of earlier files are not looked through again by each collection of garbage."""
    gc.collect()
    gc.freeze()
