"""Places in the output of a cell that can be rewritten, also by a thread and after the cell has ended."""

import threading
from contextlib import suppress
from html import escape
from typing import Any
from uuid import uuid4

Bundle = tuple[dict[str, Any], dict[str, Any]]  # what a front end is given: by type of content, and its metadata

KEPT_COLOUR = "#6a3d9a"  # of everything that is this project's and not the learner's


def in_a_shell() -> bool:
    """Whether a shell of IPython runs this, so that something can be displayed."""
    return _shell() is not None


def somebody_is_there() -> bool:
    """Whether a person sits at the front end: one that can be asked something. Papermill and nbclient cannot."""
    return bool(getattr(getattr(_shell(), "kernel", None), "_allow_stdin", False))


def this_cell() -> tuple[str, str]:
    """What names the cell that runs now, and what names this run of it; empty where the front end does not say."""
    kernel = getattr(_shell(), "kernel", None)
    parent = (kernel.get_parent() if kernel is not None else None) or {}
    return str(parent.get("metadata", {}).get("cellId", "")), str(parent.get("header", {}).get("msg_id", ""))


class Place:
    """A place in a cell's output; without a shell of IPython it only remembers what it shows."""

    def __init__(self) -> None:
        self._name, self._there = uuid4().hex, False
        self._one_by_one = threading.RLock()
        self.bundle: Bundle | None = None

    def show(self, bundle: Bundle) -> None:
        """Put this here, instead of what was here before."""
        with self._one_by_one:
            self.bundle, there = bundle, self._there
            self._there = True
            if in_a_shell():
                from IPython.display import display

                data, metadata = bundle
                display(data, metadata=metadata, raw=True, display_id=self._name, update=there)


def bundle_of(shown: object) -> Bundle:
    """What a front end is given of anything that a cell can show: pictures, tables, widgets, numbers."""
    from IPython.core.formatters import DisplayFormatter

    shell = _shell()
    formatter = shell.display_formatter if shell is not None else DisplayFormatter()
    data, metadata = formatter.format(shown)
    if not data:  # the object has displayed itself
        data = {"text/plain": ""}
    return data, metadata


def sentence(words: str, *, html: str = "", name: str = "") -> Bundle:
    """Words in a line of their own; `html` instead of them where the front end takes it, `name` for its class."""
    return {"text/html": f'<div class="{name}">{html or escape(words)}</div>', "text/plain": words}, {}


def framed(bundle: Bundle, words: str, colour: str = KEPT_COLOUR) -> Bundle:
    """The same under a coloured line of words, beside a bar of that colour; as HTML and text alone."""
    data, _ = bundle
    inner = data.get("text/html") or f"<pre>{escape(str(data.get('text/plain', '')))}</pre>"
    html = (
        f'<div class="growing-frame" style="border-left:5px solid {colour};padding-left:10px">'
        f'<div style="color:{colour};background:#fff;font-weight:600;padding:2px 4px">{escape(words)}</div>'
        f"{inner}</div>"
    )
    return {"text/html": html, "text/plain": f"{words} {data.get('text/plain', '')}"}, {}


def progress_bar(done: int, planned: int) -> str:
    """A bar of HTML."""
    return f'<progress value="{done}" max="{planned}" aria-label="networks"></progress>'


def _shell() -> Any:
    with suppress(ImportError):
        from IPython import get_ipython

        return get_ipython()
    return None
