"""Sphinx: `make docs`, or `python -m sphinx -W docs docs/_build` after `pip install '.[docs]'`."""

from quanvolve import __version__

project = "quanvolve"
author = "The quanvolve developers"
release = version = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc"]
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


def _as_written(app, what, name, obj, options, lines) -> None:  # type: ignore[no-untyped-def]
    """Show docstrings as they are written: they are plain text for people, not reStructuredText."""
    lines[:] = ["::", "", *(f"   {line}" for line in lines), ""]


def _left_out(app, what, name, obj, skip, options) -> bool | None:  # type: ignore[no-untyped-def]
    """Methods that scikit-learn and torch add for themselves."""
    return True if name.endswith("_request") or name in ("get_metadata_routing", "dump_patches") else None


def setup(app) -> None:  # type: ignore[no-untyped-def]
    """Connect both."""
    app.connect("autodoc-process-docstring", _as_written)
    app.connect("autodoc-skip-member", _left_out)
