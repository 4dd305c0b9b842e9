"""Quantum layers for PyTorch."""

from quanvolve.nn._functional import quanv2d as quanv2d
from quanvolve.nn._geometry import Geometry as Geometry
from quanvolve.nn._quanv import Quanv2d as Quanv2d
