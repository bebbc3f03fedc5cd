"""JupyterLab and a page of a browser for every test here."""

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import CHROMIUM, FLAGS, command, environment, free_port, wait_until_up

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def lab(tmp_path: Path, probed_work: Path) -> Iterator[str]:
    """JupyterLab over tmp_path with settings of its own; its address with "{}" where a notebook's name belongs."""
    pytest.importorskip("jupyterlab", reason="no JupyterLab: install the extra `lessons`")
    port, token = free_port(), secrets.token_hex(16)
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(
            command(port, tmp_path), env=environment(tmp_path, probed_work, token), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until_up(f"http://127.0.0.1:{port}/api/status?token={token}", server, tmp_path / "lab.log")
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
