"""What all tests share: one thread, and hypothesis without clocks, files or luck."""

import gc
import os

# Also for processes that tests start: threads of several of them that wait for each other take all processors.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Kernels for GPUs run in Triton's interpreter where there is none; Triton reads this when it is imported.
if not os.path.exists("/dev/nvidiactl"):
    os.environ.setdefault("TRITON_INTERPRET", "1")
# scikit-learn leaves out its array API checks without this, which SciPy reads when it is imported.
os.environ["SCIPY_ARRAY_API"] = "1"

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests.browser import browser as browser  # one for all tests of pages
from tests.postgres import postgres as postgres  # one for all tests of databases

LONGEST_NAME = 320

torch.set_num_threads(1)
settings.register_profile(
    "quanvolve", deadline=None, database=None, derandomize=True, max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.load_profile("quanvolve")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes, and numbers without end, are named by their argument: processes that run tests side by side must collect
    the same names, and what an archive or a picture holds may change by the second."""
    unreadable = isinstance(val, bytes | bytearray) or (isinstance(val, int) and abs(val) > 10**20)
    return argname if unreadable else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Names of tests can be read and typed, and say no more than a line."""
    wrong = [item.nodeid for item in items if len(item.nodeid) > LONGEST_NAME or not item.nodeid.isprintable()]
    if wrong:
        raise pytest.UsageError(f"give these tests ids of their own, short and printable: {wrong}")


@pytest.fixture(autouse=True, scope="module")
def earlier_objects() -> None:
    """Objects of earlier files are not looked through again by each collection of garbage."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """At the end all of them are: Triton's library counts what is left, and says so."""
    gc.unfreeze()
