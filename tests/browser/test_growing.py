"""A figure that grows in JupyterLab: the cell ends at once, exercises run meanwhile, and the lock shows what came."""

from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.lab import NEEDS_A_BROWSER, handle, listen, run_again, run_notebook, write_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

EPOCHS = 12
CELLS = (
    """
from dataclasses import replace
from pathlib import Path
import course
import transferkit as tk

study = tk.open_study(Path("{data}"), "smoke", "cpu")
study = replace(study, setting=replace(study.setting, recipe=replace(study.setting.recipe, epochs={epochs})))
runs = tk.plan("random0", [0], ["A3B", "B3B"])
answer = course.predict(course.Question("grown", "AnB?", ("n = 3",)))
answer
""",
    "growing = course.grow(study, runs, lambda table: tk.figure2(table), answer)",
    "print('done meanwhile:', len(growing.receipts), 'networks')",
    """
growing.show(lambda table: table[["run", "top1"]])
growing.reveal(lambda table: 100 * table.loc[table["run"] == "A3B", "paired"])
""",
)
LINE, HIDDEN = ".growing-line", ".prediction-hidden"

pytestmark = NEEDS_A_BROWSER


def test_a_lesson_goes_on_while_its_figure_grows(lab: str, page: "Page", tiny_folder: Path, tmp_path: Path) -> None:
    heard = listen(page)
    write_notebook(tmp_path / "grow.ipynb", *(cell.format(data=tiny_folder, epochs=EPOCHS) for cell in CELLS))
    run_notebook(page, lab.format("grow.ipynb"), seconds=180)
    assert "done meanwhile: 0 networks" in page.locator(".jp-CodeCell").nth(2).inner_text()
    assert "of 4 networks are there" in page.locator(LINE).inner_text()
    assert page.locator(HIDDEN).count() == 3

    handle(page, "n = 3").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Stop").click()
    page.locator(LINE, has_text="Stopped").wait_for(timeout=60_000)
    page.get_by_role("button", name="Lock it and see").click()
    page.locator(HIDDEN).first.wait_for(state="detached")
    page.screenshot(path=tmp_path / "stopped.png")

    page.get_by_role("button", name="Go on").click()
    page.locator(LINE, has_text="4 of 4 networks are there: all are yours").wait_for(timeout=180_000)
    page.locator("img[alt*='1 network per point (target B)']").wait_for(timeout=30_000)
    page.locator("img[alt*='expected and what came out: n = 3 -1']").wait_for(timeout=30_000)
    assert page.locator(".jp-CodeCell").nth(3).locator("td", has_text="A3B").count() == 1
    page.screenshot(path=tmp_path / "grown.png")

    run_again(page, cell=1)
    page.locator(LINE, has_text="4 of 4").wait_for()
    assert len(list(tmp_path.glob("work/runs/*/*/receipt.json"))) == 4, "each is trained once"
    assert not heard
