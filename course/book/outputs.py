"""What of an executed notebook belongs on paper: pictures as files, no widgets, no cell of papermill's."""

import re
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

WIDGET = "application/vnd.jupyter.widget-view+json"
INJECTED = "injected-parameters"  # papermill's tag
INSTEAD = (
    '<p class="interactive">Here stands something to try: open this lesson in JupyterLab (<code>make lab</code>).</p>'
)
SUMMARY = re.compile(r"(?<=<summary>).*?(?=</summary>)")


def tidy(notebook: NotebookNode, told: str) -> NotebookNode:
    """The notebook as the book shows it, changed in place; `told`, how it was executed, stands below its first cell."""
    notebook.metadata.pop("widgets", None)
    notebook.cells = [cell for cell in notebook.cells if INJECTED not in cell.metadata.get("tags", ())]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [_still(output) for output in cell.outputs]
        else:
            cell.source = SUMMARY.sub(lambda words: re.sub("`([^`]*)`", r"<code>\1</code>", words[0]), cell.source)
    if told:
        notebook.cells.insert(1, new_markdown_cell(f"*{told}*", id="executed"))
    return notebook


def _still(output: Any) -> Any:
    """An output that needs no kernel: of a widget the picture that comes with it, or a line in its place."""
    data = output.get("data", {})
    if "image/png" in data:
        output.data = {"image/png": data["image/png"]}
    elif WIDGET in data:
        return new_output("display_data", {"text/html": INSTEAD})
    return output
