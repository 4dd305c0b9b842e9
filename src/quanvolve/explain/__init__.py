"""What a filter computes: formulas and pictures."""

from quanvolve.explain._formula import layer_formula as layer_formula
