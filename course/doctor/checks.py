"""What this machine has: each thing is there, missing and needed, or missing and not needed."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import msgspec
import numpy as np
import psutil
import torch
from packaging.requirements import Requirement

from course.doctor.lessons import LESSONS
from course.exercises.solutions import NOTEBOOKS
from transferkit import __version__
from transferkit.disk.prepared import IMAGES, LABELS, Manifest, read_manifest
from transferkit.errors import DataError
from transferkit.hardware import processor_name
from transferkit.training.machine import choose_device, choose_precision, device_name
from transferkit.training.workers import default_workers

GIGABYTE = 1e9
MEMORY_PER_WORKER, DISK = 0.8 * GIGABYTE, 1.0 * GIGABYTE  # bytes that the preset quick needs, and some to spare
QUICKLY_HASHED = 2 * GIGABYTE  # bytes of a data set whose checksums are compared; that takes about a second per GB
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
    """Check versions, lessons, processor, memory, GPU, disk, browser, and the work folder with its data sets."""
    return (*_software(), _lessons(NOTEBOOKS), _kernel(), *_hardware(work), _writable(work), _browser(), *_data(work))


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
    left = shutil.disk_usage(_nearest(work)).free
    remedy = "free some space, or set TRANSFERKIT_WORK to a folder on another disk"
    yield Finding("disk", f"{left / GIGABYTE:.1f} GB free for {work}", good=left >= DISK, remedy=remedy)


def _nearest(folder: Path) -> Path:
    """The folder itself, or the one above it that is there, in which it would be made."""
    return next(one for one in (folder, *folder.parents) if os.path.lexists(one))


def _writable(work: Path) -> Finding:
    """Whether a file can be made in the work folder: it is tried, since permissions do not tell of every disk."""
    try:
        with tempfile.TemporaryFile(dir=_nearest(work)):
            return Finding("work folder", f"{work}, can be written")
    except OSError as problem:
        remedy = "check the folder and its permissions, or set TRANSFERKIT_WORK to another one"
        found = f"{work} cannot be written ({problem.strerror or problem})"
        return Finding("work folder", found, good=False, remedy=remedy)


def _lessons(folder: Path) -> Finding:
    """Whether every lesson is there and is a notebook."""
    names = [f"{lesson.name}.ipynb" for lesson in LESSONS]
    lacking = [name for name in names if not _is_notebook(folder / name)]
    remedy = f"{', '.join(lacking)} cannot be read; bring them back with 'git checkout notebooks'"
    if len(lacking) == len(names):
        remedy = "they come with a clone of the repository"
    found = f"{len(names) - len(lacking)} of {len(names)} in {folder}"
    return Finding("lessons", found, good=not lacking, remedy=remedy, needed=len(lacking) < len(names))


def _is_notebook(path: Path) -> bool:
    try:
        return bool(msgspec.json.decode(path.read_bytes(), type=dict[str, object]).get("cells"))
    except (OSError, msgspec.DecodeError):
        return False


def _kernel() -> Finding:
    """Whether the kernel that notebooks ask for is this Python, which has the packages."""
    what, name = "kernel", "python3"
    try:
        from jupyter_client.kernelspec import KernelSpecManager

        spec = KernelSpecManager().get_kernel_spec(name)
        program = str(spec.argv[0])
    except Exception as problem:  # Jupyter is not there, or the kernel's file cannot be read
        remedy = f"run '{sys.executable} -m ipykernel install --sys-prefix'"
        return Finding(what, f"no {name} ({problem})", good=False, remedy=remedy)
    own = name.startswith(program) or program == Path(sys.executable).name  # Jupyter takes its own Python for these
    if own or Path(program).parent == Path(sys.executable).parent:
        return Finding(what, f"{name}: {sys.executable}")
    remedy = f"notebooks would run elsewhere; delete {spec.resource_dir}, and Jupyter takes this Python"
    return Finding(what, f"{name}: {program}, not {sys.executable}", good=False, remedy=remedy)


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
        size = sum((folder / name).stat().st_size for name in (IMAGES, LABELS) if (folder / name).exists())
        manifest = read_manifest(folder, verify=size <= QUICKLY_HASHED)
        trouble = _misfit(folder, manifest)
    except DataError as problem:
        trouble = str(problem)
    except (OSError, EOFError, ValueError) as problem:
        trouble = f"{folder} cannot be read ({problem}): delete the folder and prepare the data set again."
    if trouble:
        return Finding(what, "damaged", good=False, remedy=trouble)
    found = f"{len(manifest.classes)} classes, {manifest.valid[1]:,} images of {manifest.image_size} pixels"
    return Finding(what, found if size <= QUICKLY_HASHED else f"{found}; too large to compare checksums here")


def _misfit(folder: Path, manifest: Manifest) -> str:
    """What is wrong with the arrays' shapes, if anything. Raises OSError or ValueError for files cut short."""
    images, labels = (np.load(folder / name, mmap_mode="r") for name in (IMAGES, LABELS))
    count, side = manifest.valid[1], manifest.image_size
    if images.dtype == np.uint8 and images.shape[1:] == (3, side, side) and min(len(images), len(labels)) >= count:
        return ""
    shape = " x ".join(map(str, images.shape))
    return (
        f"{folder} holds {shape} {images.dtype} images and {len(labels)} labels, its manifest says {count} of {side} "
        "pixels; delete the folder and prepare the data set again."
    )
