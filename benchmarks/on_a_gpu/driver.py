"""Run steps one after the other as processes, each within its budget; note how each ended before the next begins."""

import json
import os
import platform
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BUDGETS = {"data": 40, "correctness": 110, "ladder": 120, "grid": 120, "paper": 90, "paper-fast": 50}  # seconds
NVIDIA_SMI = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")


@dataclass(frozen=True)
class Step:
    """A command and the seconds that it may take."""

    name: str
    budget: float
    command: tuple[str, ...]


@dataclass(frozen=True)
class Log:
    """provenance.json, which is rewritten whenever a step begins or ends, and log.txt, to which steps print."""

    folder: Path
    about: Mapping[str, object]
    steps: list[dict[str, Any]] = field(default_factory=list)

    def write(self) -> None:
        """Replace provenance.json as a whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / "provenance.partial"
        partial.write_text(json.dumps({**self.about, "steps": self.steps}, indent=1) + "\n")
        partial.replace(self.folder / "provenance.json")


def run_steps(steps: Iterable[Step], log: Log, seconds: float, environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each step's name and outcome. All together take at most `seconds`; those that are left then are not started."""
    log = Log(log.folder, {**log.about, **_machine()}, log.steps)
    ends = time.monotonic() + seconds
    for step in steps:
        entry: dict[str, Any] = {"step": step.name, "budget": step.budget, "seconds": 0.0, "outcome": "running"}
        log.steps.append(entry)
        log.write()
        began = time.monotonic()
        left = min(step.budget, ends - began)
        entry["outcome"] = _run(step, left, log.folder, environment) if left > 0 else "not started: no time was left"
        entry["seconds"] = round(time.monotonic() - began, 1)
        log.write()
    return [(entry["step"], entry["outcome"]) for entry in log.steps]


def _run(step: Step, seconds: float, folder: Path, environment: Mapping[str, str]) -> str:
    with (folder / "log.txt").open("a+") as printed:
        printed.write(f"--- {step.name}\n")
        printed.flush()
        start = printed.tell()
        settings = {**environment, "PYTHONUNBUFFERED": "1"}  # so that the last line is what was printed last
        process = subprocess.Popen(
            step.command, stdout=printed, stderr=subprocess.STDOUT, env=settings, process_group=0
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"cut off after {seconds:.0f} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # it, or workers that it has left behind
            process.wait()
        printed.seek(start)
        last = (printed.read().strip().splitlines() or [f"exit code {code}, and nothing was printed"])[-1]
    return "done" if code == 0 else f"failed: {last}"


def _machine() -> dict[str, object]:
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", "python": platform.python_version(),
        "platform": platform.platform(), "cores": os.cpu_count(), "gpu": _told(NVIDIA_SMI),
        "commit": _told(("git", "describe", "--always", "--dirty")),
    }  # fmt: skip


def _told(command: tuple[str, ...]) -> str:
    """What a command prints; nothing where it is not installed or does not work."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
