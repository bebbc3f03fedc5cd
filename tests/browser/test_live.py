"""A training to watch as a learner does: stopped and continued by the button, and by the kernel's interrupt."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.lab import NEEDS_A_BROWSER, listen, open_notebook, prompts_of, run_again, write_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

EPOCHS = 120  # long enough to be stopped twice
SETUP = """
from dataclasses import replace
from pathlib import Path
import course
import transferkit as tk

study = tk.open_study(Path("{data}"), "smoke", "cpu")
study = replace(study, setting=replace(study.setting, recipe=replace(study.setting.recipe, epochs={epochs})))
live = course.LiveTraining(study, tk.parse_run("baseA", "random0", 0))
"""
STATE = ".live-state"

pytestmark = NEEDS_A_BROWSER


def test_it_is_stopped_and_continued_by_button_and_interrupt(
    lab: str, page: "Page", tiny_folder: Path, tmp_path: Path
) -> None:
    heard = listen(page)
    setup = SETUP.format(data=tiny_folder, epochs=EPOCHS)
    write_notebook(tmp_path / "live.ipynb", setup, "receipt = await live.run()", "print('epochs:', len(receipt.log))")
    open_notebook(page, lab.format("live.ipynb"))
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(STATE, has_text=re.compile(r"Training: [1-9]\d* of")).wait_for(timeout=90_000)

    page.get_by_role("button", name="Stop").click()
    page.locator(STATE, has_text="Stopped").wait_for(timeout=10_000)
    done = epochs_done(page)
    assert 0 < done < EPOCHS
    page.wait_for_timeout(1_500)
    assert epochs_done(page) <= done + 1, "it waits"
    assert "[*]" in prompts_of(page), "and the cell with it"
    assert not list(tmp_path.glob("work/runs/*/*/receipt.json"))
    page.screenshot(path=tmp_path / "stopped.png")

    page.get_by_role("button", name="Continue").focus()
    page.keyboard.press("Enter")
    page.locator(STATE, has_text="Training").wait_for(timeout=10_000)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Interrupt Kernel", exact=True).click()
    page.get_by_text(re.compile(r"^Stopped: \d+ of \d+ epochs .* Run this cell again to go on\.$")).wait_for()
    page.locator(".jp-InputPrompt", has_text="[*]").first.wait_for(state="detached")
    assert prompts_of(page).endswith("[ ]:"), "the cell below is not run"
    stopped = epochs_done(page)

    run_again(page, cell=1, wait=False)
    page.locator(STATE, has_text="Training").wait_for(timeout=10_000)
    assert epochs_done(page) >= stopped
    page.locator(STATE, has_text="Trained and kept").wait_for(timeout=240_000)
    run_again(page, cell=2)
    page.get_by_text(f"epochs: {EPOCHS}").wait_for()
    assert page.locator("img[alt*='conv1 has 32 filters']").count() == 1
    page.screenshot(path=tmp_path / "trained.png")
    assert len(list(tmp_path.glob("work/runs/*/*/receipt.json"))) == 1
    assert not heard


def epochs_done(page: "Page") -> int:
    found = re.search(r"(\d+) of \d+ epochs", page.locator(STATE).inner_text())
    assert found is not None
    return int(found[1])
