"""The inner loops: a window's features times a filter's coefficients."""

from quanvolve.compile.kernels._contract import contract as contract
from quanvolve.compile.kernels._contract import left_sites as left_sites
from quanvolve.compile.kernels._contract import values_per_window as values_per_window
