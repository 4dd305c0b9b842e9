"""`quanvolve.explain`: one public name for what several rooms hold."""

import quanvolve.explain

NAMES = {
    "Audit", "Explanation", "FilterCircuit", "Formula", "LayerAudit", "Reading", "audit", "bloch_figure",
    "calibration_figure", "cite", "confusion_figure", "effective_rank", "explain", "export_onnx", "export_torch",
    "feature_maps_figure", "filter_circuits", "filters_figure", "gallery_figure", "history_figure", "inline_svg",
    "layer_formula", "overview_figure", "quantum_layers", "reading", "reading_figure", "rendered", "response_figure",
    "save_figure", "series_figure", "spectrum_figure", "style", "TreeAudit", "TreePurity", "TreeReading",
    "block_formula", "purity_figure", "tree_figure", "tree_formula", "tree_purity", "tree_reading",
    "tree_reading_figure",
}  # fmt: skip


def test_it_has_the_names_that_it_always_had() -> None:
    assert {name for name in dir(quanvolve.explain) if not name.startswith("_")} == NAMES


def test_they_are_the_same_things() -> None:
    from quanvolve import analysis, cite, figures

    assert quanvolve.explain.audit is analysis.audit
    assert quanvolve.explain.save_figure is figures.save_figure
    assert quanvolve.explain.cite is cite
