"""Descriptions as pictures and as text."""

from quanvolve.circuits.draw._figure import draw_figure as draw_figure
from quanvolve.circuits.draw._figure import draw_legend as draw_legend
from quanvolve.circuits.draw._figure import drawing_height as drawing_height
from quanvolve.circuits.draw._text import draw_text as draw_text
