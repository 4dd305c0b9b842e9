"""The inner loops for GPUs, compiled by Triton; its interpreter runs them on the CPU in the tests."""


def ready() -> None:
    """To be called when a kernel has been loaded: Triton keeps what it compiled by the source of each kernel."""
