"""The microscope as a learner meets it: JupyterLab in a real browser, the keyboard, and the numbers on the page."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import papermill
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ROOT = Path(__file__).parent.parent
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
FAILURE = "application/vnd.jupyter.error"
RESIDUAL = ".microscope-residual"
CELL = """
import numpy as np
from transferkit.gabor import Gabor
from transferkit.widgets import microscope

noise = np.random.default_rng(0).normal(0, 0.01, (6, 3, 9, 9))
planted = np.stack([Gabor(0, 0, 30 * n, 5, 90, 2, 1, 3**-0.5, 3**-0.5, 3**-0.5, 0.1).draw(9) for n in range(6)])
microscope({epoch: noise + epoch / 2 * planted for epoch in range(3)}, "The Gabor microscope")
"""
PICTURE = """
from matplotlib.figure import Figure
from transferkit import lesson

figure = Figure(figsize=(2, 1))
figure.subplots().plot([0, 1], [1, 0])
lesson.picture(figure, "A line that falls", width=300)
"""
FOLDED = "<details>\n<summary>Solution</summary>\n\n```python\ndef f():\n    return 1\n```\n\n</details>"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is missing (Debian's package chromium)"),
]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """JupyterLab over tmp_path with settings of its own; its address with "{}" where a notebook's name belongs."""
    pytest.importorskip("jupyterlab", reason="no JupyterLab: install the extra `lessons`")
    port, token = _free_port(), secrets.token_hex(16)
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(
            _command(port, tmp_path), env=_environment(tmp_path, token), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/api/status?token={token}", server, tmp_path / "lab.log")
            yield f"http://127.0.0.1:{port}/lab/tree/{{}}?token={token}"
        finally:
            server.terminate()  # its kernels end with it
            server.wait(30)


@pytest.fixture
def page() -> Iterator["Page"]:
    """A page of Debian's Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: install the extra `test`")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1400, "height": 1000})
        browser.close()


def test_slider_and_sheet_change_the_residual_on_the_page(lab: str, page: "Page", tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)], metadata=KERNEL)
    nbformat.write(notebook, tmp_path / "microscope.ipynb")
    run_notebook_in_lab(page, lab.format("microscope.ipynb"), seconds=120)
    use_the_microscope(page)


def test_the_lesson_runs_and_its_microscope_answers(lab: str, page: "Page", tiny_folder: Path, tmp_path: Path) -> None:
    parameters = {"data": str(tiny_folder), "other_data": str(tiny_folder), "preset": "smoke", "noise_filters": 20}
    papermill.execute_notebook(
        ROOT / "notebooks" / "01_first_layer.ipynb",
        tmp_path / "lesson.ipynb",
        parameters=parameters | {"device": "cpu"},
        prepare_only=True,
        progress_bar=False,
    )
    run_notebook_in_lab(page, lab.format("lesson.ipynb"), seconds=180)
    use_the_microscope(page)


def test_a_picture_has_its_text_and_a_solution_is_folded(lab: str, page: "Page", tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(PICTURE), nbformat.v4.new_markdown_cell(FOLDED)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), tmp_path / "picture.ipynb")
    run_notebook_in_lab(page, lab.format("picture.ipynb"), seconds=120)
    picture = page.get_by_role("img", name="A line that falls")
    picture.wait_for(timeout=20_000)
    assert picture.evaluate("picture => picture.naturalWidth") == 400
    solution = page.locator("details code")
    assert not solution.is_visible()
    page.locator("summary").click()
    solution.wait_for(timeout=5_000)


def run_notebook_in_lab(page: "Page", address: str, seconds: float) -> None:
    """Open a notebook, run all its cells by the menu, and wait until none is running; a failed cell fails the test."""
    page.goto(address)
    page.get_by_text("| Idle").wait_for(timeout=60_000)
    end = time.monotonic() + seconds
    while not re.fullmatch(r"(\[\d+\]:\s*)+", prompts := _prompts(page)):
        assert not (failures := page.locator(f"[data-mime-type='{FAILURE}']").all_inner_texts()), failures
        assert time.monotonic() < end, f"not finished after {seconds} seconds: {prompts}"
        if not re.search(r"[*\d]", prompts):  # a kernel that has only just come up may drop the order without a word
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_text("Run All Cells", exact=True).click()
            page.wait_for_timeout(2_000)
        page.wait_for_timeout(500)


def _prompts(page: "Page") -> str:
    """The prompts of all cells of code that hold any: [ ]: not run, [*]: running or waiting, [3]: done."""
    cells = page.locator(".jp-CodeCell").filter(has=page.locator(".cm-line", has_text=re.compile(r"\S")))
    return "".join(cells.locator(".jp-InputPrompt").all_inner_texts())


def use_the_microscope(page: "Page") -> None:
    """Move a slider, choose another filter and go back in time by the keyboard: each changes the residual on the page.

    The page holds one microscope with a slider over time.
    """
    residual = page.locator(RESIDUAL)
    residual.wait_for(timeout=60_000)
    residual.scroll_into_view_if_needed()
    told = residual.inner_text()
    assert "RMS" in told
    _handle(page, "orientation").focus()
    for _ in range(30):  # degrees: even the poor fit of a filter that is mostly noise must feel it
        page.keyboard.press("ArrowRight")
    told = _changed(page, told)
    _handle(page, "epoch").focus()
    for _ in range(3):  # over the number beside the slider and the filter chosen at the start to the next one
        page.keyboard.press("Tab")
    chosen = page.locator("button:focus:not(.mod-primary)").inner_text()
    page.keyboard.press("Enter")
    told = _changed(page, told)
    page.get_by_text(f"filter {chosen.split()[0]}, epoch").wait_for()
    _handle(page, "epoch").focus()
    page.keyboard.press("ArrowLeft")
    _changed(page, told)


def _handle(page: "Page", label: str) -> "Locator":
    return page.locator(".widget-hslider", has_text=label).locator(".noUi-handle")


def _changed(page: "Page", before: str) -> str:
    """The line of the residual, once it is another than before."""
    page.wait_for_function(
        "([css, before]) => document.querySelector(css).innerText !== before", arg=[RESIDUAL, before], timeout=20_000
    )
    return page.locator(RESIDUAL).inner_text()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _command(port: int, folder: Path) -> list[str]:
    return [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip


def _environment(folder: Path, token: str) -> dict[str, str]:
    """Nothing of the user's Jupyter, no extension manager, and all cells of a notebook on the page at once."""
    own = {name: str(folder / "jupyter" / name) for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
    settings = folder / "jupyter" / "CONFIG_DIR" / "lab" / "user-settings" / "@jupyterlab"
    for extension, values in {
        "notebook-extension/tracker": {"windowingMode": "none"},
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    }.items():
        path = settings / f"{extension}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values))
    return {
        **os.environ,
        **{f"JUPYTER_{name}": path for name, path in own.items()},
        "IPYTHONDIR": str(folder / "jupyter" / "ipython"),
        "JUPYTER_TOKEN": token,
        "PYTHONPATH": str(ROOT),
        "TRANSFERKIT_WORK": str(folder / "work"),
    }


def _wait_until_up(address: str, server: "subprocess.Popen[bytes]", log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
