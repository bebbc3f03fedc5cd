"""What a learner sees in JupyterLab beside widgets: pictures with their text, solutions folded away."""

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

from tests.browser.lab import KERNEL, NEEDS_A_BROWSER, run_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = NEEDS_A_BROWSER
PICTURE = """
from matplotlib.figure import Figure
from transferkit.figures import Picture

figure = Figure(figsize=(2, 1))
figure.subplots().plot([0, 1], [1, 0])
Picture(figure, "A line that falls", width=300)
"""
FOLDED = "<details>\n<summary>Solution</summary>\n\n```python\ndef f():\n    return 1\n```\n\n</details>"


def test_a_picture_has_its_text_and_a_solution_is_folded(lab: str, page: "Page", tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(PICTURE), nbformat.v4.new_markdown_cell(FOLDED)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), tmp_path / "picture.ipynb")
    run_notebook(page, lab.format("picture.ipynb"), seconds=120)
    picture = page.get_by_role("img", name="A line that falls")
    picture.wait_for(timeout=20_000)
    assert picture.evaluate("picture => picture.naturalWidth") == 400
    solution = page.locator("details code")
    assert not solution.is_visible()
    page.locator("summary").click()
    solution.wait_for(timeout=5_000)
