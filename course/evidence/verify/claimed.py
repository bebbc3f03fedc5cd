"""What receipts and tables say of networks, and which of them were edited after they were written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from course.evidence.archive import METADATA, altered
from course.evidence.claims.tables import SERIES
from course.evidence.receipts import (
    DIGITS,
    NUMBERS,
    ONE_NETWORK,
    RECEIPTS,
    from_text,
    made_with,
    read_settings,
    read_texts,
    row_digests,
)
from transferkit.config import Setting, digest
from transferkit.disk.store import DAMAGED, RECEIPT, WEIGHTS, Receipt, Store
from transferkit.errors import DataError
from transferkit.results import pair
from transferkit.treatments import Run, parse_run

Network = tuple[Setting, Run]


@dataclass(frozen=True)
class Claimed:
    """What is kept of a network: last top-1 (0..1) and losses (nats), digests of its log and weights, seconds."""

    setting: Setting
    run: Run
    top1: float
    train_loss: float
    valid_loss: float
    log: str
    weights: str
    seconds: float
    made_with: Mapping[str, str]

    @property
    def network(self) -> Network:
        """What was trained."""
        return self.setting, self.run

    @property
    def name(self) -> str:
        """The network in words."""
        return f"{self.run.label} ({self.run.split}, seed {self.run.seed}, {self.setting.recipe.epochs} epochs)"


@dataclass(frozen=True)
class Kept:
    """All that is claimed in one place, and a sentence for each receipt or row that cannot be what was written."""

    place: Path
    claims: tuple[Claimed, ...]
    edited: tuple[str, ...]


def claim_of(receipt: Receipt) -> Claimed:
    """What a receipt says."""
    last = receipt.final
    return Claimed(
        receipt.setting, receipt.run, last.top1, last.train_loss, last.valid_loss, digest(receipt.log),
        receipt.checksums[WEIGHTS][:DIGITS], receipt.times.seconds, made_with(receipt),
    )  # fmt: skip


def claimed_in_work(work: Path) -> Kept:
    """The receipts of a work folder, which stays as it is, or of a crate (`archive`), which may lack the weights.

    Raises DataError when there is none, or the crate's description cannot be read.
    """
    store = Store(work)
    folders = {path.parent for path in (work / "runs").glob(f"*/[!.]*/{RECEIPT}") if DAMAGED not in path.parent.name}
    receipts = {store.run_folder(receipt.run, receipt.setting): receipt for receipt in store.receipts()}
    if not folders:
        raise DataError(f"{work} holds no receipt: train some networks first, or name another folder with --work.")
    is_crate = (work / METADATA).is_file()
    edited = list(altered(work)) if is_crate else []
    edited += [f"{folder.name}: its receipt was edited or damaged" for folder in sorted(folders - set(receipts))]
    whole = {folder: receipt for folder, receipt in receipts.items() if folder in folders}
    for folder, receipt in whole.items():
        unlike = [name for name in _other_files(folder, receipt) if (folder / name).exists() or not is_crate]
        edited += [f"{folder.name}: {name} is not the file of its receipt" for name in unlike]
    return Kept(work, tuple(map(claim_of, whole.values())), tuple(edited))


def claimed_in_tables(folder: Path) -> Kept:
    """The networks of the tables of the evidence. Raises DataError when they keep no receipts, or cannot be read."""
    if not (folder / RECEIPTS).is_file():
        raise DataError(
            f"{folder} holds no {RECEIPTS}, without which nothing can be retrained: collect its tables anew with "
            "'python -m transferkit evidence'."
        )
    rows, settings = read_texts((folder / RECEIPTS).read_bytes()), read_settings(folder)
    lacking = {*ONE_NETWORK, *NUMBERS, "seconds", "setting", "log", "weights", "made_with", "digest"} - set(
        rows.columns
    )
    if lacking or not set(rows["setting"]) <= set(settings):
        raise DataError(f"{folder / RECEIPTS} is not as it was written: collect the tables anew.")
    whole = np.array(row_digests(rows)) == rows["digest"].to_numpy()
    edited = [f"{RECEIPTS}: the row of {_named(row)} was edited" for row in rows[~whole].to_dict("records")]
    edited += [
        sentence for name in SERIES if (folder / f"{name}.csv").exists() for sentence in _unlike(folder, name, rows)
    ]
    claims = [_claim_of_row(row, settings[row["setting"]]) for row in rows[whole].to_dict("records")]
    return Kept(folder, tuple(claims), tuple(edited))


def _other_files(folder: Path, receipt: Receipt) -> Iterator[str]:
    for name, checksum in receipt.checksums.items():
        path = folder / name
        if not path.is_file() or sha256(path.read_bytes()).hexdigest() != checksum:
            yield name


def _unlike(folder: Path, name: str, rows: pd.DataFrame) -> Iterator[str]:
    """The rows of a series' table whose numbers are not those of their receipts, or not the differences they state."""
    texts = read_texts((folder / f"{name}.csv").read_bytes())
    if lacking := {*ONE_NETWORK, *NUMBERS, "treatment", "target", "paired"} - set(texts.columns):
        raise DataError(f"{folder / name}.csv has no column {min(lacking)}: collect the tables anew.")
    beside = texts.merge(rows.drop_duplicates(ONE_NETWORK), on=ONE_NETWORK, how="left", suffixes=("", "_kept"))
    numbers = texts.assign(**{column: pd.to_numeric(texts[column], errors="coerce") for column in ("top1", "paired")})
    paired = np.isclose(pair(numbers)["paired"], numbers["paired"], rtol=0, atol=1e-9)
    for row, fits in zip(beside.to_dict("records"), paired, strict=True):
        if pd.isna(row["digest"]):
            yield f"{name}.csv: {_named(row)} has no receipt in {RECEIPTS}"
            continue
        for number in NUMBERS:
            if not _same_number(row[number], row[f"{number}_kept"]):
                yield f"{name}.csv: {_named(row)} has {number} {row[number]}, its receipt {row[f'{number}_kept']}"
        if not fits:
            yield f"{name}.csv: {_named(row)} states a paired difference of {row['paired']}, which is not its own"


def _same_number(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _named(row: Mapping[Any, object]) -> str:
    return f"{row['run']} ({row['split']}, seed {row['seed']}, {row['epochs']} epochs)"


def _claim_of_row(row: Mapping[Any, str], setting: Setting) -> Claimed:
    run = parse_run(row["run"], row["split"], int(row["seed"]))
    top1, train_loss, valid_loss = (float(row[number]) for number in NUMBERS)
    return Claimed(
        setting, run, top1, train_loss, valid_loss, row["log"], row["weights"], float(row["seconds"]),
        from_text(row["made_with"]),
    )  # fmt: skip
