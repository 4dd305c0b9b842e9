"""What a filter computes: formulas and pictures."""

from quanvolve.explain import _style as style  # noqa: F401  (colours and sizes, for other pictures)
from quanvolve.explain._audit import Audit as Audit
from quanvolve.explain._audit import LayerAudit as LayerAudit
from quanvolve.explain._audit import audit as audit
from quanvolve.explain._audit import effective_rank as effective_rank
from quanvolve.explain._behind import quantum_layers as quantum_layers
from quanvolve.explain._bloch_figure import bloch_figure as bloch_figure
from quanvolve.explain._calibration_figure import calibration_figure as calibration_figure
from quanvolve.explain._cite import cite as cite
from quanvolve.explain._export import export_onnx as export_onnx
from quanvolve.explain._export import export_torch as export_torch
from quanvolve.explain._figures import feature_maps_figure as feature_maps_figure
from quanvolve.explain._filter_circuits import FilterCircuit as FilterCircuit
from quanvolve.explain._filter_circuits import filter_circuits as filter_circuits
from quanvolve.explain._filter_figures import filters_figure as filters_figure
from quanvolve.explain._formula import Formula as Formula
from quanvolve.explain._formula import layer_formula as layer_formula
from quanvolve.explain._overview import overview_figure as overview_figure
from quanvolve.explain._page import inline_svg as inline_svg
from quanvolve.explain._page import rendered as rendered
from quanvolve.explain._reading import Reading as Reading
from quanvolve.explain._reading import reading as reading
from quanvolve.explain._reading_figures import gallery_figure as gallery_figure
from quanvolve.explain._reading_figures import reading_figure as reading_figure
from quanvolve.explain._reading_figures import response_figure as response_figure
from quanvolve.explain._report import Explanation as Explanation
from quanvolve.explain._report import explain as explain
from quanvolve.explain._series_figures import series_figure as series_figure
from quanvolve.explain._spectrum_figure import spectrum_figure as spectrum_figure
from quanvolve.explain._style import save_figure as save_figure
from quanvolve.explain._training_figures import confusion_figure as confusion_figure
from quanvolve.explain._training_figures import history_figure as history_figure
