"""Rich's tables in a notebook: HTML that wraps to the page, in place of lines of box drawing that it cuts off."""

import sys
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_TABLE = "table-layout: auto; width: auto; margin: 0.5em 0; border-collapse: collapse"
_CAPTION = "caption-side: top; text-align: left; white-space: normal; padding: 0.2em 0.6em; color: inherit"
_CELL = "vertical-align: top; white-space: normal; padding: 0.25em 0.8em 0.25em 0.6em; text-align: "


def show_as_html(formatter: Any = None) -> None:
    """Have IPython show rich's tables as HTML: a given display formatter, or that of the running shell, if any."""
    if formatter is None:
        ipython = sys.modules.get("IPython")
        formatter = getattr(ipython.get_ipython(), "display_formatter", None) if ipython is not None else None
    if formatter is not None:
        formatter.mimebundle_formatter.for_type_by_name("rich.table", "Table", bundle)


def bundle(table: "Table") -> dict[str, str]:
    """A table in the forms that a front end chooses from: HTML, and rich's own lines of text."""
    return {"text/html": to_html(table), "text/plain": _as_text(table)}


def to_html(table: "Table") -> str:
    """A table with its title above and its caption below; what is marked up in it is bold, and line breaks stay."""
    sides = ["right" if column.justify == "right" else "left" for column in table.columns]
    head = _row("th", [column.header for column in table.columns], sides)
    rows = zip(*(column.cells for column in table.columns), strict=True)
    body = "".join(_row("td", list(cells), sides) for cells in rows)
    title = f'<caption style="{_CAPTION}"><b>{_cell(table.title)}</b></caption>' if table.title else ""
    below = f'<p style="margin: 0.3em 0.6em; max-width: 60em">{_cell(table.caption)}</p>' if table.caption else ""
    return f'<table style="{_TABLE}">{title}<thead>{head}</thead><tbody>{body}</tbody></table>{below}'


def _row(tag: str, cells: "list[RenderableType]", sides: list[str]) -> str:
    parts = (f'<{tag} style="{_CELL}{side}">{_cell(cell)}</{tag}>' for cell, side in zip(cells, sides, strict=True))
    return f"<tr>{''.join(parts)}</tr>"


def _cell(content: "RenderableType | None") -> str:
    from rich.text import Text

    text = content if isinstance(content, Text) else Text.from_markup(str(content))
    edges = sorted({edge for span in text.spans for edge in (span.start, span.end)})
    parts = (
        f"<b>{escape(part.plain)}</b>" if any(span.style != "dim" for span in part.spans) else escape(part.plain)
        for part in text.divide(edges)
    )
    return "".join(parts).replace("\n", "<br>")


def _as_text(table: "Table") -> str:
    from rich.console import Console

    console = Console(width=120, color_system=None, force_jupyter=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get()
