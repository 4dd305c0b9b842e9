"""The data sets known by name."""

from __future__ import annotations

from quanvolve.data.named._colour import COLOUR
from quanvolve.data.named._emnist import EMNIST_SPECS
from quanvolve.data.named._medmnist import MEDMNIST
from quanvolve.data.named._mnist import MNIST_FAMILY
from quanvolve.data.named._spec import Spec
from quanvolve.data.named._ucr import ucr_spec
from quanvolve.data.named._usps import USPS

SPECS = {spec.name: spec for spec in (*MNIST_FAMILY, *EMNIST_SPECS, USPS, *COLOUR, *MEDMNIST)}
"""By name, in the order in which they are listed; those of the UCR archive come beside them."""


def find_spec(name: str) -> Spec:
    """What is known of a data set of that name."""
    return SPECS[name] if name in SPECS else ucr_spec(name)
