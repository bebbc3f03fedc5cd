"""What this machine has: each thing is there, missing and needed, or missing and not needed."""

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import psutil
import torch
from packaging.requirements import Requirement

from transferkit import __version__
from transferkit.disk.prepared import read_manifest
from transferkit.errors import DataError
from transferkit.hardware import processor_name
from transferkit.training.machine import choose_device, choose_precision, device_name
from transferkit.training.workers import default_workers

GIGABYTE = 1e9
MEMORY_PER_WORKER, DISK = 0.8 * GIGABYTE, 1.0 * GIGABYTE  # bytes that the preset quick needs, and some to spare
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EXTRAS = {"lessons": "the lessons in Jupyter and batches", "cluster": "--scheduler", "test": "make test"}


@dataclass(frozen=True)
class Finding:
    """What was found of one thing, whether that is good enough, and if not, what to do about it.

    `needed` is false when the preset quick and the lessons can do without it.
    """

    what: str
    found: str
    good: bool = True
    remedy: str = ""
    needed: bool = True

    @property
    def verdict(self) -> str:
        """`ok`, or in words what is wrong and what to do."""
        if self.good:
            return "ok"
        return f"{'missing' if self.needed else 'not needed now'}: {self.remedy}"


def examine(work: Path) -> tuple[Finding, ...]:
    """Check versions, processor, memory, GPU, disk, Jupyter, browser, and the data sets in the work folder."""
    return (*_software(), *_hardware(work), _browser(), *_data(work))


def _software() -> Iterator[Finding]:
    python = platform.python_version()
    yield Finding("Python", f"{python}, transferkit {__version__}")
    try:
        listed = [Requirement(line) for line in requires("transferkit") or ()]
    except PackageNotFoundError:
        remedy = "run 'pip install --editable .' in the checkout"
        yield Finding("packages", "transferkit is on the path but not installed", good=False, remedy=remedy)
        return
    yield _packages("library", [one for one in listed if one.marker is None], "what everything needs", needed=True)
    for extra, purpose in EXTRAS.items():
        chosen = [one for one in listed if one.marker is not None and one.marker.evaluate({"extra": extra})]
        yield _packages(extra, chosen, purpose, needed=extra == "lessons")


def _packages(name: str, wanted: list[Requirement], purpose: str, *, needed: bool) -> Finding:
    lacking = [trouble for one in wanted if (trouble := _trouble(one))]
    shown = [f"{one.name} {_version(one.name)}" for one in wanted if one.name in ("torch", "jupyterlab", "ipywidgets")]
    counted = f"{len(wanted) - len(lacking)} of {len(wanted)}, for {purpose}"
    extra = f".[{name}]" if name in EXTRAS else "."
    return Finding(
        f"packages: {name}", "; ".join([counted, *shown]), good=not lacking,
        remedy=f"{', '.join(lacking)}; run 'pip install --editable {extra!r}'", needed=needed,
    )  # fmt: skip


def _trouble(wanted: Requirement) -> str:
    there = _version(wanted.name)
    return "" if there and there in wanted.specifier else f"{wanted.name} {there or 'is not there'}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _hardware(work: Path) -> Iterator[Finding]:
    device, cores = choose_device("auto"), default_workers("cpu")
    yield Finding("processor", f"{processor_name()}, {cores} core{'s' * (cores > 1)} for this process")
    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    remedy = "all lessons run on the processor at the preset quick"
    yield Finding("GPU", ", ".join(gpus) or "none", good=bool(gpus), remedy=remedy, needed=False)
    yield Finding("computes on", f"{device_name(device)}, in {choose_precision('auto', device)}")
    free, wanted = psutil.virtual_memory().available, MEMORY_PER_WORKER * default_workers("cpu")
    remedy = f"close something, or use fewer --workers ({MEMORY_PER_WORKER / GIGABYTE:.1f} GB each)"
    yield Finding("memory", f"{free / GIGABYTE:.1f} GB free", good=free >= wanted, remedy=remedy)
    there = next(folder for folder in (work, *work.parents) if folder.exists())
    left = shutil.disk_usage(there).free
    remedy = "free some space, or set TRANSFERKIT_WORK to a folder on another disk"
    yield Finding("disk", f"{left / GIGABYTE:.1f} GB free for {work}", good=left >= DISK, remedy=remedy)


def _browser() -> Finding:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), "")
    remedy = "only the tests of the widgets use a browser (Debian: chromium)"
    return Finding("Chromium", found or "none", good=bool(found), remedy=remedy, needed=False)


def _data(work: Path) -> Iterator[Finding]:
    there = sorted(path.name for path in (work / "data").glob("[!.]*") if path.is_dir())
    for name in dict.fromkeys(("photos", "shapeworld", *there)):
        yield _data_set(work / "data" / name)


def _data_set(folder: Path) -> Finding:
    what = f"data: {folder.name}"
    if not folder.is_dir():
        remedy = f"lessons prepare it, or run 'python -m data_prep {folder.name}'"
        return Finding(what, "not prepared yet", good=False, remedy=remedy, needed=False)
    try:
        manifest = read_manifest(folder, verify=False)
    except DataError as problem:
        return Finding(what, "damaged", good=False, remedy=str(problem))
    images, size = manifest.valid[1], manifest.image_size
    return Finding(what, f"{len(manifest.classes)} classes, {images:,} images of {size} pixels")
