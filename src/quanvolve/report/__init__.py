"""Pages: what explains a model on one, and what any self-contained page is made of."""

from quanvolve.report._page import inline_svg as inline_svg
from quanvolve.report._page import rendered as rendered
from quanvolve.report._report import Explanation as Explanation
from quanvolve.report._report import explain as explain
