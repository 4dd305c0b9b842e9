"""What self-contained pages are made of: figures as inline SVG in the colours of the page, and templates."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TEMPLATES = Path(__file__).with_name("templates")
_VARIABLES = {"#222222": "var(--ink)", "#767676": "var(--grey)", "#d9d9d9": "var(--pale)", "#ffffff": "var(--paper)"}
"""The colours of `_style` that follow the page."""


def inline_svg(figure: Figure, label: str, salt: str) -> str:
    """A figure as an SVG element for HTML: it takes no room of its own choosing, and follows light and dark.

    Args:
        figure: drawn in the common style.
        label: what it shows, for those who cannot see it.
        salt: different for each figure of a page, so that names inside do not clash.

    Examples:
        >>> from quanvolve.figures import history_figure
        >>> text = inline_svg(history_figure([{"epoch": 1, "train_loss": 0.5}]), "the loss", "a")
        >>> text.startswith('<svg role="img" aria-label="the loss"'), "#222222" in text
        (True, False)
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        text = re.sub(rf'(style="[^"]*?){colour}', rf"\1{variable}", text)
        text = re.sub(rf'(style="[^"]*?){colour}', rf"\1{variable}", text)
    # Glyphs have names of their own in every picture, as their sizes differ.
    names = set(re.findall(r'\bid="([^"]+)"', text))
    text = re.sub(r'\bid="([^"]+)"', rf'id="{salt}-\1"', text)
    text = re.sub(r'(xlink:href="#|url\(#)([^")]+)', lambda m: f"{m[1]}{salt}-{m[2]}" if m[2] in names else m[0], text)
    wide, tall = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups()  # type: ignore[union-attr]
    head = f'<svg role="img" aria-label="{html.escape(label, quote=True)}" viewBox="0 0 {wide} {tall}" '
    head += f'style="max-width: {float(wide) * 4 / 3:.0f}px" xmlns="http://www.w3.org/2000/svg" '
    head += 'xmlns:xlink="http://www.w3.org/1999/xlink">'
    return head + text[text.index(">") + 1 :].strip()


def rendered(template: str, folder: Path = _TEMPLATES, **values: Any) -> str:
    """A page of a template; text is escaped, pictures from :func:`inline_svg` are marked safe there.

    Args:
        template: name of its file.
        folder: where it is; `page.css` is found from everywhere.
        values: what it shows.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, _TEMPLATES]), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(template).render(**values)
