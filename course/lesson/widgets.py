"""What the widgets of the lessons share."""

from base64 import b64encode
from html import escape
from typing import Any

from transferkit.errors import UsageError


def load_ipywidgets(wanted_by: str) -> Any:
    """The module ipywidgets. Raises UsageError, naming what needs it, where it is not installed."""
    try:
        import ipywidgets
    except ImportError as error:
        raise UsageError(f"{wanted_by} needs ipywidgets: install transferkit with the extra `lessons`.") from error
    return ipywidgets


def html_picture(png: bytes, alt: str, size: str = "", style: str = "max-width:100%") -> str:
    """A PNG as an <img>, its alternative text escaped; `size` are attributes, `style` is CSS."""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return f'<img src="{source}" {size} alt="{escape(alt)}" style="display:block;{style}">'
