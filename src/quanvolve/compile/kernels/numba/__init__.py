"""The inner loops for the CPU, compiled by Numba."""
