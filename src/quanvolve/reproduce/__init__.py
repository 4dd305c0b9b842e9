"""Published results, run again: what was claimed, what comes out, and what a matched control does."""

from quanvolve.reproduce._config import Reproduction as Reproduction
from quanvolve.reproduce._config import find as find
from quanvolve.reproduce._config import names as names
from quanvolve.reproduce._result import Result as Result
from quanvolve.reproduce._run import reproduce as reproduce
