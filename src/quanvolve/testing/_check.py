"""All checks at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from quanvolve.testing._filters import check_distinct_filters, check_round_trip
from quanvolve.testing._geometry import check_geometry
from quanvolve.testing._gradients import check_gradients
from quanvolve.testing._independence import check_independence, check_weight_sharing
from quanvolve.testing._physics import check_physicality, what_is_read
from quanvolve.testing._reference import Reference
from quanvolve.testing._report import ConformanceError, Report, Result


def check_quanv(
    layer: nn.Module,
    reference: Reference | None = None,
    *,
    make: Callable[[], nn.Module] | None = None,
    **where: Any,
) -> Report:
    """Run every check on a module that claims to be a quantum convolution.

    Args:
        layer: any module that takes (N, C, *size) to (N, channels, *places), in one, two or three dimensions.
        reference: a function of a window, flattened as by `unfold` (channel, then row, then column), that returns the
            values of all channels, simulated independently. Layers of this package need none; any other module is
            then compared with itself on images of one window.
        make: builds the module anew, see :func:`check_round_trip`.
        where: `kernel_size`, `stride`, `padding`, `dilation`, `groups`, `padding_mode`, `in_channels` and `size`, where
            the module has no attributes of these names.

    Returns:
        The report, where every check was passed; what the module reads is its last line.

    Raises:
        ConformanceError: naming every check that failed, and what was seen.
        QuanvolveError: if the window of a foreign module is not known.

    References:
        Each check comes from a defect in published code: results of one window overwritten by another, state carried
        from window to window, identical filters, weights that are not saved, detached gradients, noise that skips the
        encoding.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> from quanvolve.testing import check_quanv
        >>> print(check_quanv(Quanv2d(1, 4, 2, stride=2, seed=0)))
        passed  geometry          12 windows of 4 channels are right
        passed  independence      a pixel changes its own windows only; batches and calls do not mix
        passed  weight sharing    the map moves with the image; equal windows and images have equal values
        passed  distinct filters  4 channels, no two filters alike
        passed  round trip        bit-equal after saving and loading
        passed  gradients         inputs and 1 weight tensor(s) agree with finite differences
        passed  physicality       all values lie in [-1, 1]
        passed  what is read      every value of the window is read
    """
    results = (
        check_geometry(layer, reference, **where),
        check_independence(layer, **where),
        check_weight_sharing(layer, **where),
        check_distinct_filters(layer, **where),
        check_round_trip(layer, make, **where),
        check_gradients(layer, **where),
        check_physicality(layer, reference, **where),
        Result("what is read", True, str(what_is_read(layer, **where))),
    )
    report = Report(results)
    if not report.passed:
        failed = "\n".join(f"  {result.check}: {result.message}" for result in results if not result.passed)
        raise ConformanceError(f"{type(layer).__name__} is not a quantum convolution as it should be:\n{failed}")
    return report
