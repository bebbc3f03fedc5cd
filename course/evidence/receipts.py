"""What the tables of the evidence keep of each network's receipt, so that it can be retrained and compared.

receipts.csv has one row for each network of all tables in its folder: what names it (ONE_NETWORK), its last accuracy
and losses, digests of its log and its weights, what it was made with, and a digest of the row. settings.json holds the
settings, which the rows name by their digests.
"""

import io
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import pandas as pd

from transferkit.config import Setting, digest
from transferkit.disk import atomic
from transferkit.disk.store import WEIGHTS, Receipt
from transferkit.errors import DataError
from transferkit.specs import read_net

RECEIPTS, SETTINGS = "receipts.csv", "settings.json"
ONE_NETWORK = ["run", "split", "seed", "data", "images_per_class", "epochs", "random_filters"]
NUMBERS = ["top1", "train_loss", "valid_loss"]
DIGITS = 16  # of a checksum that are kept
_SEPARATOR = "; "


def receipt_rows(table: pd.DataFrame, receipts: Sequence[Receipt]) -> pd.DataFrame:
    """The rows of receipts.csv, without digests, for networks in a series' table and their receipts in that order."""
    return table[[*ONE_NETWORK, *NUMBERS, "seconds"]].assign(
        setting=[digest(receipt.setting) for receipt in receipts],
        log=[digest(receipt.log) for receipt in receipts],
        weights=[receipt.checksums[WEIGHTS][:DIGITS] for receipt in receipts],
        made_with=[as_text(made_with(receipt)) for receipt in receipts],
    )


def write_receipts(rows: pd.DataFrame, settings: Mapping[str, Setting], there: pd.DataFrame, folder: Path) -> Path:
    """Write both files: these rows, and earlier ones of other networks that are `there`, in tables of the folder.

    Raises as `read_settings`.
    """
    path = folder / RECEIPTS
    earlier = read_texts(path.read_bytes()).drop(columns="digest") if path.exists() else None
    new = read_texts(rows.drop_duplicates(ONE_NETWORK).to_csv(index=False).encode())
    table = new if earlier is None else pd.concat([new, earlier]).drop_duplicates(ONE_NETWORK)
    known = read_texts(there[ONE_NETWORK].drop_duplicates().to_csv(index=False).encode())
    table = known.merge(table, on=ONE_NETWORK)
    kept = (read_settings(folder) if earlier is not None else {}) | dict(settings)
    used = {name: kept[name] for name in sorted(set(table["setting"]))}
    atomic.write_bytes(
        folder / SETTINGS, msgspec.json.format(msgspec.json.encode(used, order="deterministic"), indent=1)
    )
    atomic.write_bytes(path, table.assign(digest=row_digests(table)).to_csv(index=False).encode())
    return path


def read_texts(content: bytes) -> pd.DataFrame:
    """A CSV table whose cells are texts, as they stand in the file."""
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)


def row_digests(table: pd.DataFrame) -> list[str]:
    """The start of the SHA-256 of each row of texts, but its digest."""
    rows = table.drop(columns="digest", errors="ignore").itertuples(index=False)
    return [sha256("\n".join(row).encode()).hexdigest()[:DIGITS] for row in rows]


def read_settings(folder: Path) -> dict[str, Setting]:
    """The settings in settings.json by their digests.

    Raises DataError when the file is not there or another version wrote it.
    """
    try:
        content = (folder / SETTINGS).read_bytes()
        return msgspec.json.decode(content, type=dict[str, Setting], dec_hook=read_net)
    except (OSError, msgspec.DecodeError) as problem:
        raise DataError(
            f"{folder / SETTINGS} cannot be read ({problem}): collect the tables anew with 'python -m transferkit "
            "evidence', or verify with the version that wrote them."
        ) from None


def made_with(receipt: Receipt) -> dict[str, str]:
    """The processor or GPU, versions and number of processes that a network was trained with."""
    return {"device": receipt.device_name, **receipt.versions, "processes": str(receipt.times.processes)}


def as_text(made: Mapping[str, str]) -> str:
    """What `made_with` gives, in one cell of a table."""
    return _SEPARATOR.join(f"{name} {value}" for name, value in made.items())


def from_text(cell: str) -> dict[str, str]:
    """The inverse of `as_text`."""
    parts = (part.partition(" ") for part in cell.split(_SEPARATOR))
    return {name: value for name, _, value in parts}
