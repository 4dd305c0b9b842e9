"""Sphinx: `make docs`, or `python -m sphinx -W docs docs/_build` after `pip install '.[docs]'`."""

from quanvolve import __version__

project = "quanvolve"
author = "The quanvolve developers"
release = version = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"quanvolve {version}"
myst_heading_anchors = 3
# The tutorials are run, and an error in them ends the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
autodoc_typehints = "none"
