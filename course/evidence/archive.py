"""A study as an RO-Crate, which repositories of research data take: receipts, weights, the table and the pictures.

The crate lies as a work folder does, so that `verify` reads it back. RO-Crate: Soiland-Reyes et al. 2022, Data Science
5(2); https://www.researchobject.org/ro-crate.
"""

from __future__ import annotations

import argparse
import mimetypes
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from rich.console import Console

from transferkit import __version__
from transferkit.commands import add_grid_options, study_of
from transferkit.disk import atomic
from transferkit.disk.prepared import MANIFEST
from transferkit.disk.store import RECEIPT, WEIGHTS, Receipt
from transferkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from transferkit.training.study import Study
    from transferkit.treatments import Run

METADATA = "ro-crate-metadata.json"
PAPER = "https://arxiv.org/abs/1411.1792"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"


@dataclass(frozen=True)
class Crate:
    """What a crate says of itself: its title, who made it ("": nobody is named), the address of its licence."""

    title: str
    creator: str = ""
    licence: str = LICENCE


def add_options(command: argparse.ArgumentParser) -> None:
    """What `export` takes."""
    command.add_argument("folder", type=Path, metavar="DIR", help="a new folder, which becomes the crate")
    command.add_argument("--title", help="of the crate (default: made of the data, the split and the network)")
    command.add_argument("--creator", default="", metavar="NAME", help="who made it")
    command.add_argument("--licence", default=LICENCE, metavar="URL", help="of the results (default: CC BY 4.0)")
    command.add_argument(
        "--no-weights", action="store_true", help="leave the weights out: receipts are enough to verify"
    )
    add_grid_options(command)


def export(options: argparse.Namespace) -> None:
    """Write the crate of the finished networks among those that the options name."""
    study, runs = study_of(options)
    title = (
        options.title or f"Transfer of features: {study.setting.data}, {options.split}, {study.setting.net.name} net"
    )
    crate = Crate(title, options.creator, options.licence)
    written = write_crate(study, runs, options.folder, crate, weights=not options.no_weights)
    console = Console()
    console.print(f"wrote {written} networks to {options.folder}", markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"check it anywhere with 'python -m transferkit verify --work {options.folder}'", markup=False, soft_wrap=True
    )


def write_crate(study: Study, runs: Sequence[Run], folder: Path, crate: Crate, *, weights: bool = True) -> int:
    """Write those of the runs that are done, as `report.write_report` shows them, into a new folder; return how many.

    Without `weights`, only receipts. Raises UsageError when the folder is there already, or ro-crate-py is not;
    StoreError when no run is done.
    """
    from transferkit.report import finished, write_report

    if not find_spec("rocrate"):
        raise UsageError("an RO-Crate is written by ro-crate-py, which is not installed: install transferkit[archive].")
    if folder.exists():
        raise UsageError(f"{folder} is there already: name a folder that is not, since a crate is written as a whole.")
    receipts = finished(study, runs)
    with atomic.new_folder(folder) as place:
        write_report(study, runs, place)
        shutil.copyfile(study.prepared.folder / MANIFEST, place / MANIFEST)
        for receipt in receipts:
            _copy_run(study, receipt, place, weights=weights)
        _write_metadata(place, crate, receipts)
    return len(receipts)


def altered(folder: Path) -> Iterator[str]:
    """A sentence for each file of a crate that is missing, or is not the one that was described.

    Raises DataError when its description cannot be read.
    """
    try:
        graph = msgspec.json.decode((folder / METADATA).read_bytes())["@graph"]
        described = {unquote(entity["@id"]): entity["sha256"] for entity in graph if "sha256" in entity}
    except (OSError, msgspec.DecodeError, LookupError, TypeError) as problem:
        raise DataError(f"{folder / METADATA} cannot be read ({problem}): export the study anew.") from None
    for name, checksum in described.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif sha256(path.read_bytes()).hexdigest() != checksum:
            yield f"{name} is not the file that {METADATA} describes"


def _copy_run(study: Study, receipt: Receipt, place: Path, *, weights: bool) -> None:
    source = study.store.run_folder(receipt.run, study.setting)
    target = place / source.relative_to(study.store.work)
    target.mkdir(parents=True)
    for name in (RECEIPT, *(receipt.checksums if weights else ())):
        shutil.copyfile(source / name, target / name)


def _write_metadata(place: Path, crate: Crate, receipts: Sequence[Receipt]) -> None:
    """Describe every file with its size and checksum, and the training that made them; and a page for people."""
    from rocrate.model import ContextEntity, Person, SoftwareApplication
    from rocrate.rocrate import ROCrate

    described = ROCrate(gen_preview=True)
    root = described.root_dataset
    root["name"], root["license"] = crate.title, {"@id": crate.licence}
    root["datePublished"] = datetime.now(UTC).date().isoformat()
    root["description"] = _description(receipts)
    paper = {"@type": "ScholarlyArticle", "name": "How transferable are features in deep neural networks?"}
    root["citation"] = described.add(ContextEntity(described, PAPER, properties=paper))
    if crate.creator:
        root["creator"] = described.add(Person(described, "#creator", properties={"name": crate.creator}))
    files = [
        described.add_file(path, str(path.relative_to(place)), properties=_properties(path))
        for path in sorted(path for path in place.rglob("*") if path.is_file())
    ]
    versions = ", ".join(f"{name} {version}" for name, version in receipts[0].versions.items())
    program: dict[str, Any] = {"name": "transferkit", "version": __version__, "softwareRequirements": versions}
    action: dict[str, Any] = {
        "name": "training", "endTime": max(receipt.times.finished for receipt in receipts),
        "description": f"on {receipts[0].device_name}, in {sum(receipt.times.seconds for receipt in receipts):.0f} s",
    }  # fmt: skip
    root["mentions"] = described.add_action(
        described.add(SoftwareApplication(described, "#transferkit", properties=program)), "#training",
        result=[file for file in files if Path(file.id).name in (RECEIPT, WEIGHTS)], properties=action,
    )  # fmt: skip
    described.metadata.write(place)
    described.preview.write(place)


def _description(receipts: Sequence[Receipt]) -> str:
    setting = receipts[0].setting
    return (
        f"{len(receipts)} networks ({setting.net.name} net, {setting.recipe.epochs} epochs) on the data set "
        f"{Path(setting.data).name}, whose manifest has the checksum {setting.data_checksum}: receipts, the table "
        "grid.csv with one row per network, and figures, after Yosinski et al. 2014."
    )


def _properties(path: Path) -> dict[str, Any]:
    """The name, size, type and checksum of a file."""
    kind = {".safetensors": "application/octet-stream"}.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    content = path.read_bytes()
    return {
        "name": path.name, "contentSize": str(len(content)), "encodingFormat": kind or "application/octet-stream",
        "sha256": sha256(content).hexdigest(),
    }  # fmt: skip
