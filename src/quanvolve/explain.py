"""What a filter computes: formulas, pictures, pages, exports and citations under one name.

The rooms behind it are `quanvolve.analysis`, `figures`, `report` and `deploy`.
"""

from quanvolve._cite import cite as cite
from quanvolve.analysis import Audit as Audit
from quanvolve.analysis import FilterCircuit as FilterCircuit
from quanvolve.analysis import Formula as Formula
from quanvolve.analysis import LayerAudit as LayerAudit
from quanvolve.analysis import Reading as Reading
from quanvolve.analysis import TreeAudit as TreeAudit
from quanvolve.analysis import TreePurity as TreePurity
from quanvolve.analysis import TreeReading as TreeReading
from quanvolve.analysis import audit as audit
from quanvolve.analysis import block_formula as block_formula
from quanvolve.analysis import effective_rank as effective_rank
from quanvolve.analysis import filter_circuits as filter_circuits
from quanvolve.analysis import layer_formula as layer_formula
from quanvolve.analysis import quantum_layers as quantum_layers
from quanvolve.analysis import reading as reading
from quanvolve.analysis import tree_formula as tree_formula
from quanvolve.analysis import tree_purity as tree_purity
from quanvolve.analysis import tree_reading as tree_reading
from quanvolve.deploy import export_onnx as export_onnx
from quanvolve.deploy import export_torch as export_torch
from quanvolve.figures import bloch_figure as bloch_figure
from quanvolve.figures import calibration_figure as calibration_figure
from quanvolve.figures import confusion_figure as confusion_figure
from quanvolve.figures import feature_maps_figure as feature_maps_figure
from quanvolve.figures import filters_figure as filters_figure
from quanvolve.figures import gallery_figure as gallery_figure
from quanvolve.figures import history_figure as history_figure
from quanvolve.figures import overview_figure as overview_figure
from quanvolve.figures import purity_figure as purity_figure
from quanvolve.figures import reading_figure as reading_figure
from quanvolve.figures import response_figure as response_figure
from quanvolve.figures import save_figure as save_figure
from quanvolve.figures import series_figure as series_figure
from quanvolve.figures import spectrum_figure as spectrum_figure
from quanvolve.figures import style as style
from quanvolve.figures import tree_figure as tree_figure
from quanvolve.figures import tree_reading_figure as tree_reading_figure
from quanvolve.report import Explanation as Explanation
from quanvolve.report import explain as explain
from quanvolve.report import inline_svg as inline_svg
from quanvolve.report import rendered as rendered
