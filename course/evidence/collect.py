"""From the receipts of a study to its tables: one row per network, per epoch, and per first layer."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from course.evidence.bench import Step
from course.evidence.claims.tables import STUDIES, is_on_dial, refuse_strangers
from transferkit.config import Recipe
from transferkit.disk import atomic
from transferkit.disk.store import Receipt
from transferkit.errors import StoreError
from transferkit.filters import SMALLEST_SIDE
from transferkit.filters.table import fit_table, match_filters, shares, untrained_filters
from transferkit.results import pair, tabulate, tabulate_epochs
from transferkit.training.forecast import images_of
from transferkit.training.study import Study
from transferkit.treatments import Run

CONV1_COLUMNS = ("data", "split", "seed", "target", "gabor", "blob", "neither", "likeness", "likeness_noise")
ALL_STUDIES = "all"  # in place of the name of one in provenance.csv
_ONE_NETWORK = ["run", "split", "seed", "data", "images_per_class", "epochs", "random_filters"]
_Row = Mapping[Any, object]


def refuse_mixing(studies: Mapping[str, Sequence[Step]], folder: Path) -> None:
    """Raise DataError when a folder keeps other studies, of other data or layers than these by their names are to be.

    To be asked before these are done, as their tables take the places of some of those that are there.
    """
    kept = {name: pd.read_csv(folder / f"{name}.csv") for name in _kept_in(folder) if name not in studies}
    refuse_strangers(kept | {name: _planned(steps[0]) for name, steps in studies.items()})


def write_study(name: str, steps: Sequence[Step], folder: Path) -> tuple[Path, ...]:
    """Write NAME.csv, one row per network, and NAME-epochs.csv, one row per network and epoch; each atomically.

    As `tabulate_study` makes them. Raises as that.
    """
    table, log = tabulate_study(steps)
    return _write(table, folder / f"{name}.csv"), _write(log, folder / f"{name}-epochs.csv")


def tabulate_study(steps: Sequence[Step]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The networks of a study, one row each, and its epochs, one row per network and epoch.

    The columns are those of `results.COLUMNS` and `results.EPOCH_COLUMNS` with data, images_per_class, epochs,
    random_filters and the classes of the target half, and by epoch the images seen. Raises StoreError when a
    network of the study is not trained.
    """
    networks, epochs = [], []
    for step in steps:
        receipts = _receipts(step)
        networks.append(_with_setting(tabulate(receipts), step))
        logs = _with_setting(tabulate_epochs(receipts), step)
        seen = [images_of(step.study, run, "train") for run in step.runs]
        epochs.append(
            logs.assign(images_seen=logs["epoch"] * np.repeat(seen, [len(receipt.log) for receipt in receipts]))
        )
    table, log = (pd.concat(tables, ignore_index=True) for tables in (networks, epochs))
    return pair(table), log


def write_conv1(steps: Sequence[Step], recipe: Recipe, folder: Path) -> Path | None:
    """Write conv1.csv: a row as of `conv1_row` for each base of these steps that was trained by this very recipe.

    Rows that are there of other bases stay, unless of a data set that these have taken the place of. Without such a
    base, nothing is written. Nor is anything left there for a network whose first filters have less than SMALLEST_SIDE
    pixels: all would be of no kind, and two halves alike in that.
    """
    bases = {
        (step.study.setting, run): step.study
        for step in steps
        for run in step.runs
        if run.source is None and step.study.setting.recipe == recipe
    }
    if any(_first_filters(study, run).shape[-1] < SMALLEST_SIDE for (_, run), study in bases.items()):
        (folder / "conv1.csv").unlink(missing_ok=True)
        return None
    if not bases:
        return None
    path = folder / "conv1.csv"
    earlier = pd.read_csv(path).to_dict("records") if path.exists() else []
    rows = _joined(earlier, [conv1_row(study, run) for (_, run), study in bases.items()])
    return _write(pd.DataFrame(rows, columns=list(CONV1_COLUMNS)), path)


def write_provenance(studies: Mapping[str, Sequence[Step]], folder: Path) -> Path:
    """Write provenance.csv, where networks come from: devices, versions, precision, dates, seconds of workers.

    One row per study and key; a key has several rows where the receipts differ. Rows of other studies whose tables are
    in the folder stay. How many networks there are and their seconds are told of all tables together, each network
    once: write these first.
    """
    path = folder / "provenance.csv"
    told = _earlier_origins(path) | {name: _origins(steps) for name, steps in studies.items()}
    told[ALL_STUDIES] = _totals(folder)
    names = [name for name in (ALL_STUDIES, *_kept_in(folder)) if name in told]
    rows = [(key, value, name) for name in names for key, value in told[name]]
    return _write(pd.DataFrame(rows, columns=["key", "value", "study"]), path)


def conv1_row(study: Study, base: Run) -> dict[str, object]:
    """What conv1 of a base holds: the shares of its filters' kinds (gabor, blob, neither; 0..1), and how like others.

    `likeness` is the mean cosine of its filters and those of the other half's base, best matched; `likeness_noise`
    the same with as many filters of white noise. NaN where that other base is not trained.
    """
    own = _first_filters(study, base)
    other = Run(base.split, base.seed, "B" if base.target == "A" else "A")
    alike = np.nan
    if study.store.find(other, study.setting):
        theirs = _first_filters(study, other)
        alike = float(match_filters(own, theirs).likeness.mean())
    noise = float(match_filters(own, untrained_filters(own, base.seed)).likeness.mean())
    cells = (Path(study.setting.data).name, base.split, base.seed, base.target)
    values = (*cells, *shares(fit_table(own)).values(), alike, noise)
    return dict(zip(CONV1_COLUMNS, values, strict=True))


def kept_evidence() -> Path | None:
    """Where a checkout keeps tables of networks that were trained for it; None where there is no checkout."""
    folder = Path(__file__).parents[2] / "course" / "results" / "evidence"
    return folder if folder.is_dir() else None


def _joined(earlier: Sequence[_Row], rows: Sequence[_Row]) -> list[_Row]:
    """Rows of conv1.csv and those that come to it, the dial's last: two kinds, each of one data set, the newer."""
    bases = {_place(row): row for row in (*earlier, *rows)}
    data = {_place(row)[0]: row["data"] for row in rows}
    return [bases[place] for place in sorted(bases) if bases[place]["data"] == data.get(place[0], bases[place]["data"])]


def _place(row: _Row) -> tuple[bool, str, int, str]:
    split = str(row["split"])
    return is_on_dial(split), split, int(str(row["seed"])), str(row["target"])


def _earlier_origins(path: Path) -> dict[str, list[tuple[str, str]]]:
    """The rows of a provenance.csv by study; none of one that does not tell studies apart, as older ones did not."""
    table = pd.read_csv(path, dtype=str) if path.exists() else pd.DataFrame()
    if "study" not in table:
        return {}
    return {
        str(name): list(zip(rows["key"], rows["value"], strict=True))
        for name, rows in table.groupby("study", sort=False)
    }


def _origins(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """The keys and values of the networks of one study."""
    receipts = [receipt for step in steps for receipt in _receipts(step)]
    rows = [("first", min(receipt.times.finished for receipt in receipts))]
    rows += [("last", max(receipt.times.finished for receipt in receipts))]
    for receipt in receipts:
        setting = receipt.setting
        rows += [("device", receipt.device_name), ("precision", setting.precision), ("net", setting.net.name)]
        rows += [(f"{name} version", version) for name, version in receipt.versions.items()]
    return list(dict.fromkeys(rows))


def _totals(folder: Path) -> list[tuple[str, str]]:
    tables = [pd.read_csv(folder / f"{name}.csv")[[*_ONE_NETWORK, "seconds"]] for name in _kept_in(folder)]
    networks = pd.concat(tables).drop_duplicates(_ONE_NETWORK)
    return [("networks", str(len(networks))), ("seconds", f"{networks['seconds'].sum():.0f}")]


def _kept_in(folder: Path) -> tuple[str, ...]:
    return tuple(name for name in STUDIES if (folder / f"{name}.csv").exists())


def _planned(step: Step) -> pd.DataFrame:
    """What the table of a step will say of its data and layers."""
    setting = step.study.setting
    return pd.DataFrame(
        {"split": [step.runs[0].split], "data": [_data_name(step)], "layers": [" ".join(setting.net.layers)]}
    )


def _data_name(step: Step) -> str:
    return Path(step.study.setting.data).name


def _first_filters(study: Study, base: Run) -> np.ndarray:
    return study.store.weights(base, study.setting)[study.setting.net.first_filters]


def _receipts(step: Step) -> list[Receipt]:
    found = [step.study.store.find(run, step.study.setting) for run in step.runs]
    receipts = [receipt for receipt in found if receipt]
    if len(receipts) < len(step.runs):
        lacking = [run.label for run, receipt in zip(step.runs, found, strict=True) if receipt is None]
        raise StoreError(
            f"{len(lacking)} networks of this study are not trained, as {lacking[0]}: run 'python -m transferkit "
            "evidence' again."
        )
    return receipts


def _with_setting(table: pd.DataFrame, step: Step) -> pd.DataFrame:
    """The table with the columns that tell the settings of one study apart."""
    recipe, manifest = step.study.setting.recipe, step.study.prepared.manifest
    all_images = (manifest.train[1] - manifest.train[0]) // len(manifest.classes)
    halves = {(run.split, run.target): step.study.prepared.split(run.split).classes(run.target) for run in step.runs}
    return table.assign(
        classes=[len(halves[key]) for key in zip(table["split"], table["target"], strict=True)],
        data=_data_name(step),
        images_per_class=recipe.images_per_class or all_images,
        epochs=recipe.epochs,
        random_filters=recipe.random_filters,
    )


def _write(table: pd.DataFrame, path: Path) -> Path:
    atomic.write_bytes(path, table.to_csv(index=False).encode())
    return path
