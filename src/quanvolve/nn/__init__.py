"""Quantum layers for PyTorch, and hybrid models made with them."""

from quanvolve.nn._angle_norm import AngleNorm as AngleNorm
from quanvolve.nn._backbones import BACKBONES as BACKBONES
from quanvolve.nn._backbones import make_backbone as make_backbone
from quanvolve.nn._backbones import make_dense_backbone as make_dense_backbone
from quanvolve.nn._filters import measured_values as measured_values
from quanvolve.nn._geometry import Geometry as Geometry
from quanvolve.nn._heads import HEADS as HEADS
from quanvolve.nn._heads import make_head as make_head
from quanvolve.nn._hybrid import HybridModel as HybridModel
from quanvolve.nn._hybrid import hybrid_model as hybrid_model
from quanvolve.nn._layers import Quanv1d as Quanv1d
from quanvolve.nn._layers import Quanv2d as Quanv2d
from quanvolve.nn._layers import Quanv3d as Quanv3d
from quanvolve.nn._linear import QuantumLinear as QuantumLinear
from quanvolve.nn._presets import PRESETS as PRESETS
from quanvolve.nn._presets import Preset as Preset
from quanvolve.nn._presets import Stage as Stage
from quanvolve.nn._presets import find_preset as find_preset
from quanvolve.nn._presets import preset_model as preset_model
from quanvolve.nn._quanv import QuanvNd as QuanvNd
from quanvolve.nn._standardize import Standardize as Standardize
from quanvolve.nn._standardize import learn_statistics as learn_statistics
from quanvolve.nn._twins import quanv1d as quanv1d
from quanvolve.nn._twins import quanv2d as quanv2d
from quanvolve.nn._twins import quanv3d as quanv3d
