"""The film of the README: `make filters` in a real terminal, then a real lesson, in a browser without a window.

    python -m benchmarks.film [--out course/results/photos/minutes.webp]

Clones what is committed into a new folder, lends it this environment as `.venv`, and opens JupyterLab there. Training
is shown as a time lapse; the strip below every frame says how long it really took. Needs Debian's chromium.
"""

import argparse
import io
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from PIL import Image, ImageDraw

from tests.browser.lab import CHROMIUM, FLAGS, command, environment, free_port, handle, open_notebook, wait_until_up
from transferkit.console import clock
from transferkit.disk import atomic

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent
LESSON = "05_figure2"
SIZE, STRIP = (960, 600), 30  # pixels
WIDTH = 800  # of the film
FRAME = 500  # milliseconds
LAPSE = 36  # frames of what takes long
GROWS = 150  # seconds for which the lesson trains before the eyes
COMMAND, PICTURE = "make filters", "work/figures/views/baseA-filters.png"
PREDICTED = (0, -2, -4, -6, -10, -20, -30)  # points, of AnB at n = 1 to 7


@dataclass
class Film:
    """Frames with the words below them, and how long each is shown."""

    page: "Page"
    frames: list[Image.Image] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)

    def take(self, words: str, milliseconds: int = FRAME) -> None:
        """Photograph the page."""
        with Image.open(io.BytesIO(self.page.screenshot())) as shot:
            frame = Image.new("RGB", (SIZE[0], SIZE[1] + STRIP), "#202020")
            frame.paste(shot.convert("RGB"))
        ImageDraw.Draw(frame).text((12, SIZE[1] + 5), words, fill="white", font_size=17)
        self.frames.append(frame.resize((WIDTH, round(WIDTH * frame.height / frame.width)), Image.Resampling.LANCZOS))
        self.milliseconds.append(milliseconds)

    def thin(self, begin: int, count: int) -> None:
        """Keep about `count` of the frames from `begin` on, evenly; the last one stays."""
        step = max(1, len(self.frames[begin:]) // count)
        chosen = sorted({*range(begin, len(self.frames), step), len(self.frames) - 1})
        self.frames = [*self.frames[:begin], *(self.frames[index] for index in chosen)]
        self.milliseconds = [*self.milliseconds[:begin], *(self.milliseconds[index] for index in chosen)]

    def save(self, path: Path) -> None:
        """Write it as an animated WebP."""
        first, *others = self.frames
        options = {"save_all": True, "duration": self.milliseconds, "loop": 0, "quality": 55, "method": 6}
        first.save(buffer := io.BytesIO(), "WEBP", append_images=others, **options)
        atomic.write_bytes(path, buffer.getvalue())


def borrowed_clone(folder: Path) -> Path:
    """A clone of what is committed, whose `.venv` consists of links to the environment that runs this."""
    clone = folder / "transferkit"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    (clone / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if not part.name.startswith("installed"):
            (clone / ".venv" / part.name).symlink_to(part)
    (clone / ".venv" / "installed").touch()  # for make: newer than what it was installed from
    return clone


@contextmanager
def jupyter_lab(clone: Path, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """JupyterLab over the clone: its address, with "{}" for what to open, and its process."""
    port, token = free_port(), secrets.token_hex(16)
    shell = "--ServerApp.terminado_settings={'shell_command': ['bash', '--norc', '--noprofile']}"
    surroundings = environment(folder, clone / "work", token) | {"PS1": "$ ", "PYTHONPATH": str(clone)}
    del surroundings["TRANSFERKIT_CORES"]
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen([*command(port, clone), shell], cwd=clone, env=surroundings, stdout=log, stderr=log)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/api/status?token={token}", server, folder / "lab.log")
            yield f"http://127.0.0.1:{port}{{}}?token={token}", psutil.Process(server.pid)
        finally:
            server.terminate()
            server.wait(30)


def make_is_running(server: psutil.Process) -> bool:
    """Whether a make runs in a terminal."""
    names = [child.name() for child in server.children(recursive=True) if child.is_running()]
    return "make" in names


def film_the_terminal(film: Film, address: str, server: psutil.Process) -> None:
    """`make filters` is typed and runs to its end, as a time lapse; then the picture that it wrote."""
    page = film.page
    page.goto(address.format("/lab"))
    card = page.locator(".jp-LauncherCard", has_text="Terminal")
    card.wait_for()
    page.keyboard.press("Control+b")  # without the list of files
    card.click()
    screen = page.locator(".xterm-screen").first
    screen.wait_for()
    page.wait_for_timeout(2_000)
    screen.click()
    for letter in COMMAND:
        page.keyboard.type(letter)
        film.take("a new clone, its packages installed", 120)
    page.keyboard.press("Enter")
    began, first = time.monotonic(), len(film.frames)
    page.wait_for_timeout(1_000)
    while make_is_running(server):
        film.take(f"time lapse: {clock(time.monotonic() - began)} (minutes:seconds) on two CPU cores")
        page.wait_for_timeout(1_000)
    film.thin(first, LAPSE)
    film.take(f"done after {clock(time.monotonic() - began)} (minutes:seconds) on two CPU cores", 3_000)
    page.goto(address.format(f"/lab/tree/{PICTURE}"))
    page.locator(".jp-ImageViewer img").wait_for()
    page.wait_for_timeout(2_000)
    film.take(PICTURE, 4_000)


def film_the_lesson(film: Film, address: str) -> None:
    """All cells of the lesson are run, a curve is predicted and locked, and the figure grows for a while."""
    page, words = film.page, f"lesson {LESSON[:2]}: predict before you look"
    open_notebook(page, address.format(f"/lab/tree/notebooks/{LESSON}.ipynb"))
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(".growing-line").wait_for(timeout=180_000)
    handle(page, "n = 4").evaluate("slider => slider.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(1_000)
    film.take(words, 2_000)
    for n, points in enumerate(PREDICTED, start=1):
        handle(page, f"n = {n}").focus()
        for _ in range(-points):
            page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(400)
        film.take(words, 600)
    page.get_by_role("button", name="Lock it and see").click()
    page.locator(".growing-line").evaluate("line => line.scrollIntoView({block: 'start'})")
    began, first = time.monotonic(), len(film.frames)
    while time.monotonic() - began < GROWS:
        film.take(f"lesson {LESSON[:2]}: your networks replace kept ones, {clock(time.monotonic() - began)} so far")
        page.wait_for_timeout(1_000)
    film.thin(first, LAPSE)
    film.milliseconds[-1] = 4_000


def main() -> None:
    """Film it, and write the file."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "course" / "results" / "photos" / "minutes.webp")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        clone = borrowed_clone(Path(scratch))
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        with jupyter_lab(clone, Path(scratch)) as (address, server):
            film = Film(page)
            film_the_terminal(film, address, server)
            film_the_lesson(film, address)
        browser.close()
    film.save(chosen.out)


if __name__ == "__main__":
    main()
