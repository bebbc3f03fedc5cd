"""How long a learner waits: seconds from opening a lesson to its first picture, and the longest block.

    python -m benchmarks.first_pictures --work FOLDER [--out course/results] [--preset quick]

Every lesson is opened in JupyterLab, in a browser without a window, and all its cells are run: once in an empty work
folder, and once in `--work`, in which the lessons have been run. A block is one cell that runs. In the empty folder the
lesson is left at the first cell that awaits networks: sliders, buttons and progress answer there, and what comes after
it is measured in the filled one. Needs Debian's chromium, and about twenty minutes for all lessons.
"""

import argparse
import math
import re
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pandas as pd
import papermill
from rich.console import Console

from tests.browser.lab import (
    CHROMIUM,
    FAILURE,
    FLAGS,
    command,
    environment,
    free_port,
    open_notebook,
    prompts_of,
    wait_until_up,
)
from transferkit.disk import atomic
from transferkit.training.machine import device_name

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent
KEPT = "first-pictures.csv"
AWAITS = re.compile(r"\bawait (growing|live)")
PICTURE = ".jp-OutputArea-output img, .jp-OutputArea-output svg, .jp-OutputArea-output canvas"
TICK, AWAITED, PATIENCE = 0.2, 3.0, 900.0  # seconds


def main() -> None:
    """Measure, and write the table."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--lessons", nargs="*", help="only those whose names begin so")
    parser.add_argument("--out", type=Path, default=ROOT / "course" / "results")
    chosen = parser.parse_args()
    paths = [
        path
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        if not chosen.lessons or path.stem.startswith(tuple(chosen.lessons))
    ]
    about = {"preset": chosen.preset, "device": device_name("cpu"), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
    rows = []
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        for path in paths:
            for kind, given in (("empty", None), ("filled", chosen.work)):
                folder = Path(scratch) / f"{path.stem}-{kind}"
                folder.mkdir()
                work = given or folder / "work"
                browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                rows.append({"lesson": path.stem, "work": kind} | about)
                rows[-1] |= measure(page, path, folder, work, chosen.preset, leave=given is None)
                browser.close()
                Console().print(rows[-1])
    atomic.write_bytes(chosen.out / KEPT, pd.DataFrame(rows).to_csv(index=False).encode())


def measure(page: "Page", lesson: Path, folder: Path, work: Path, preset: str, *, leave: bool) -> dict[str, object]:
    """Run a lesson: seconds to the first picture, the longest block and its last line, and how many cells were run."""
    folder.mkdir(exist_ok=True)
    copy = folder / "lesson.ipynb"
    papermill.execute_notebook(lesson, copy, parameters={"preset": preset}, prepare_only=True, progress_bar=False)
    cells = [str(cell.source) for cell in nbformat.read(copy, as_version=4).cells if cell.cell_type == "code"]
    done, blocks, first = 0, {0: 0.0}, float("nan")
    with jupyter_lab(folder, work) as address:
        began = time.monotonic()
        open_notebook(page, address)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        since = time.monotonic()
        while done < len(cells):
            time.sleep(TICK)
            now, finished = time.monotonic(), len(re.findall(r"\[\d+\]:", prompts_of(page)))
            if math.isnan(first) and page.locator(PICTURE).count():
                first = now - began
            if failures := page.locator(f"[data-mime-type='{FAILURE}']").all_inner_texts():
                raise RuntimeError(f"{lesson.stem}: {failures[0][:500]}")
            if finished > done:
                blocks[done], done, since = now - since, finished, now
            elif leave and AWAITS.search(cells[done]) and now - since > AWAITED:
                break
            elif now - since > PATIENCE:
                raise RuntimeError(f"{lesson.stem}: {cells[done]} has run for {PATIENCE} seconds.")
    longest = max(blocks, key=lambda number: blocks[number])
    return {
        "first_picture": round(first, 1), "longest_block": round(blocks[longest], 1),
        "ends_with": cells[longest].strip().splitlines()[-1], "cells": done, "of": len(cells),
    }  # fmt: skip


@contextmanager
def jupyter_lab(folder: Path, work: Path) -> Iterator[str]:
    """JupyterLab over a folder, on all cores; the address of the lesson in it."""
    port, token = free_port(), secrets.token_hex(16)
    surroundings = environment(folder, work, token)
    del surroundings["TRANSFERKIT_CORES"]
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command(port, folder), env=surroundings, stdout=log, stderr=log)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/api/status?token={token}", server, folder / "lab.log")
            yield f"http://127.0.0.1:{port}/lab/tree/lesson.ipynb?token={token}"
        finally:
            server.terminate()
            server.wait(60)


if __name__ == "__main__":
    main()
