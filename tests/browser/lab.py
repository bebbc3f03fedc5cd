"""JupyterLab in Debian's Chromium: how tests start it, run a notebook in it, and listen for what goes wrong."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
FAILURE = "application/vnd.jupyter.error"
NEEDS_A_BROWSER = [
    pytest.mark.long,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is missing (Debian's package chromium)"),
]


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook of these cells of code."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=KERNEL)
    nbformat.write(notebook, path)


def listen(page: "Page") -> list[str]:
    """What the page complains about from now on: errors on its console, and exceptions that nobody caught."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def handle(page: "Page", label: str) -> "Locator":
    """The handle of the slider with this label."""
    return page.locator(".widget-hslider", has_text=label).locator(".noUi-handle")


def open_notebook(page: "Page", address: str) -> None:
    """Open a notebook and wait for its kernel."""
    page.goto(address)
    page.get_by_text("| Idle").wait_for(timeout=60_000)


def run_notebook(page: "Page", address: str, seconds: float) -> None:
    """Open a notebook, run all its cells by the menu, and wait until none is running; a failed cell fails the test."""
    open_notebook(page, address)
    end = time.monotonic() + seconds
    while not re.fullmatch(r"(\[\d+\]:\s*)+", prompts := prompts_of(page)):
        assert not (failures := page.locator(f"[data-mime-type='{FAILURE}']").all_inner_texts()), failures
        assert time.monotonic() < end, f"not finished after {seconds} seconds: {prompts}"
        if not re.search(r"[*\d]", prompts):  # a kernel that has only just come up may drop the order without a word
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_text("Run All Cells", exact=True).click()
            page.wait_for_timeout(2_000)
        page.wait_for_timeout(500)


def run_again(page: "Page", cell: int, *, wait: bool = True) -> None:
    """Run one cell of code (0 is the first) by the keyboard, and wait until it is done."""
    chosen = page.locator(".jp-CodeCell").nth(cell)
    before = chosen.locator(".jp-InputPrompt").first.inner_text()
    chosen.locator(".cm-content").first.click()
    page.keyboard.press("Control+Enter")
    end = time.monotonic() + 60
    while wait and (now := chosen.locator(".jp-InputPrompt").first.inner_text()) in (before, "[*]:"):
        assert time.monotonic() < end, f"cell {cell} was not run again: {now}"
        page.wait_for_timeout(100)


def prompts_of(page: "Page") -> str:
    """The prompts of all cells of code that hold any: [ ]: not run, [*]: running or waiting, [3]: done."""
    cells = page.locator(".jp-CodeCell").filter(has=page.locator(".cm-line", has_text=re.compile(r"\S")))
    return "".join(cells.locator(".jp-InputPrompt").all_inner_texts())


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def command(port: int, folder: Path) -> list[str]:
    return [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip


def environment(folder: Path, work: Path, token: str) -> dict[str, str]:
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
        "TRANSFERKIT_WORK": str(work),
        "TRANSFERKIT_CORES": "1",  # another test has the other
    }


def wait_until_up(address: str, server: "subprocess.Popen[bytes]", log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
