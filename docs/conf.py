"""Sphinx: `python -m sphinx -W docs docs/_build` after `pip install '.[docs]'`."""

from quanvolve import __version__

project = "quanvolve"
author = "The quanvolve developers"
release = version = __version__
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"quanvolve {version}"
