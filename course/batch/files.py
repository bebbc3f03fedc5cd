"""The files beside an executed notebook: its HTML page, and its signature figure as a small picture."""

import base64
import binascii
import io
import logging
from collections.abc import Iterator
from typing import Any

from course.batch.records import NOTEBOOK, PAGE, THUMBNAIL, checksum_of
from course.batch.tasks import Task
from transferkit.disk import atomic

THUMBNAIL_PIXELS = (480, 480)
SIGNATURE = "signature-figure"  # tag of the cell whose picture represents the notebook
_log = logging.getLogger(__name__)


def keep_files(task: Task) -> tuple[dict[str, str], str]:
    """Write page and figure beside a task's executed notebook; return checksums by file name, and the figure's text.

    Both are empty when there is no executed notebook. Raises StoreError when a file cannot be written.
    """
    path = task.folder / NOTEBOOK
    if not path.exists():
        return {}, ""
    import nbformat

    content = path.read_bytes()
    files, alt = {NOTEBOOK: content}, ""
    notebook = nbformat.reads(content.decode(), as_version=4)
    for output, text in _pictures(notebook):
        if thumbnail := _thumbnail(output):
            files[THUMBNAIL], alt = thumbnail, text
    if page := _page(notebook, task.title):
        files[PAGE] = page
    for name in files.keys() - {NOTEBOOK}:
        atomic.write_bytes(task.folder / name, files[name])
    return {name: checksum_of(content) for name, content in files.items()}, alt


def _pictures(notebook: Any) -> Iterator[tuple[str, str]]:
    """Every PNG picture, in base64, and its alternative text; those of a tagged cell come last."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in sorted(cells, key=lambda cell: SIGNATURE in cell.metadata.get("tags", ())):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                yield output.data["image/png"], str(output.metadata.get("image/png", {}).get("alt", ""))


def _thumbnail(encoded: str) -> bytes | None:
    from PIL import Image, UnidentifiedImageError

    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
            picture.thumbnail(THUMBNAIL_PIXELS)
            picture.convert("RGB" if picture.mode not in ("RGBA", "LA", "P") else "RGBA").save(buffer, "WEBP")
    except (UnidentifiedImageError, binascii.Error, OSError, ValueError):
        return None
    return buffer.getvalue()


def _page(notebook: Any, title: str) -> bytes | None:
    from nbconvert import HTMLExporter

    try:
        text, _ = HTMLExporter().from_notebook_node(notebook, {"metadata": {"name": title}})
    except Exception:  # the morning page then lacks one link, and nothing else
        _log.exception("no page of %s", title)
        return None
    return str(text).encode(errors="backslashreplace")
