"""Models for other programs."""

from quanvolve.deploy._export import export_onnx as export_onnx
from quanvolve.deploy._export import export_torch as export_torch
