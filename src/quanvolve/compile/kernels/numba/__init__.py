"""The inner loops for the CPU, compiled by Numba."""


def ready() -> None:
    """To be called when a kernel has been loaded: compiled code on disk counts only while its source is the same."""
    from quanvolve.compile.kernels.numba._fresh import keep_fresh

    keep_fresh()
