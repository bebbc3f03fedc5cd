"""From the receipts of a series to its tables: one row per network, per epoch, and per first layer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from course.evidence.after.table import write_after
from course.evidence.by_picture import write_by_picture
from course.evidence.claims.tables import SERIES, Evidence, is_on_dial, read_evidence, refuse_strangers
from course.evidence.first_layers import PAPERS_KINDS, likeness_controls, match_filters
from course.evidence.receipts import ONE_NETWORK, receipt_rows, write_receipts
from course.evidence.sweeps import SeriesStep, run_series
from course.lesson.shortcuts import shortcuts
from course.looking.control import scrambled_filters
from course.looking.kinds import KINDS, count_kinds, fit_table
from transferkit.config import Setting, digest
from transferkit.disk import atomic
from transferkit.disk.store import Receipt
from transferkit.errors import StoreError
from transferkit.gabor import SMALLEST_SIDE
from transferkit.results import pair, tabulate, tabulate_epochs
from transferkit.training.forecast import images_of
from transferkit.training.study import Study
from transferkit.training.sweep import Progress
from transferkit.training.workers import local_workers
from transferkit.treatments import Run

CONV1_COLUMNS = (
    "data", "split", "seed", "target", *KINDS, "r2", "scrambled", "r2_scrambled", "likeness", "likeness_scrambled",
    "likeness_recoloured", "likeness_turned",
)  # fmt: skip
OF_USUAL_BASES = ("similar", "dissimilar", "apart", "dial")  # series whose bases are compared with each other
OF_PICTURES = ("similar", "lengths")  # series whose claims are judged over pictures too
SHORTCUT_SPLITS = 2
ALL_SERIES = "all"  # stands for the name of a series in provenance.csv
_Row = Mapping[Any, object]
Watch = Callable[[str, Iterator[Progress]], object]


def refuse_mixing(planned: Mapping[str, Sequence[SeriesStep]], folder: Path) -> None:
    """Raise DataError when a folder keeps other series whose data or layers differ from those of the planned ones.

    Call it before training: the planned tables will replace those of the same names.
    """
    kept = {name: pd.read_csv(folder / f"{name}.csv") for name in _kept_in(folder) if name not in planned}
    refuse_strangers(kept | {name: _planned(steps[0]) for name, steps in planned.items()})


def train_and_collect(
    planned: Mapping[str, Sequence[SeriesStep]], folder: Path, workers: int, watch: Watch
) -> Evidence:
    """Train what the planned series lack, write their tables, and read these with the others in the folder.

    `watch` gets each series' name and progress. Raises as `refuse_mixing`, before anything is trained, and as
    `run_series`.
    """
    refuse_mixing(planned, folder)
    with local_workers(workers) as executor:
        for name, steps in planned.items():
            watch(name, run_series(steps, executor))
            if name in SERIES:
                write_series(name, steps, folder)
            else:
                write_after(steps[0].study, dict.fromkeys(run.split for run in steps[0].runs), executor, folder)
        if some := [step for name, steps in planned.items() if name in OF_PICTURES for step in steps]:
            write_by_picture(some, executor, folder)
    usual = [step for name, steps in planned.items() if name in OF_USUAL_BASES for step in steps]
    write_conv1(usual, folder)
    write_shortcuts(usual, folder)
    if tabled := {name: steps for name, steps in planned.items() if name in SERIES}:
        write_provenance(tabled, folder)
        keep_receipts(tabled, folder)
    return read_evidence(folder)


def write_series(name: str, steps: Sequence[SeriesStep], folder: Path) -> tuple[Path, ...]:
    """Write the tables of `tabulate_series`, each atomically: NAME.csv and NAME-epochs.csv. Raises as that does."""
    table, log = tabulate_series(steps)
    return _write(table, folder / f"{name}.csv"), _write(log.round(7), folder / f"{name}-epochs.csv")


def tabulate_series(steps: Sequence[SeriesStep]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The networks of a series, one row each, and their epochs, one row per network and epoch.

    The columns are `results.COLUMNS` and `results.EPOCH_COLUMNS`, and after them classes (of the target half), data,
    images_per_class, epochs and random_filters; the epochs also have images_seen. Raises StoreError when a network of
    the series is not trained.
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


def write_conv1(steps: Sequence[SeriesStep], folder: Path) -> Path | None:
    """Write conv1.csv: one row of `conv1_row` for each base of these steps.

    Rows of other bases stay, unless their data set was replaced. Nothing is written when there is no such base. For a
    network whose first filters are smaller than SMALLEST_SIDE pixels the file is removed: all its filters would be of
    no kind, which would make the halves look alike.
    """
    bases = _bases(steps)
    if any(_first_filters(study, run).shape[-1] < SMALLEST_SIDE for (_, run), study in bases.items()):
        (folder / "conv1.csv").unlink(missing_ok=True)
        return None
    if not bases:
        return None
    path = folder / "conv1.csv"
    kept = pd.read_csv(path) if path.exists() else pd.DataFrame()
    earlier = kept.to_dict("records") if tuple(kept.columns) == CONV1_COLUMNS else []  # else of an older version
    rows = _joined(earlier, [conv1_row(study, run) for (_, run), study in bases.items()])
    return _write(pd.DataFrame(rows, columns=list(CONV1_COLUMNS)), path)


def write_shortcuts(steps: Sequence[SeriesStep], folder: Path) -> Path | None:
    """Write shortcuts.csv: top-1 (0..1) of methods without learned features, and of the base, for the same halves.

    For both halves of the first two splits of each data set; rows of another data set stay. Nothing is written when
    there is no base.
    """
    bases = _bases(steps)
    chosen: dict[str, set[str]] = {}
    for setting, run in bases:
        splits = chosen.setdefault(Path(setting.data).name, set())
        if len(splits) < SHORTCUT_SPLITS:
            splits.add(run.split)
    rows: list[tuple[str, str, str, str, float]] = []
    for (setting, run), study in bases.items():
        name, receipt = Path(setting.data).name, study.store.find(run, setting)
        if run.seed == 0 and run.split in chosen[name] and receipt:
            found = {**shortcuts(study, run.split, run.target), "base": receipt.final.top1}
            rows += [(name, run.split, run.target, method, top1) for method, top1 in found.items()]
    if not rows:
        return None
    path = folder / "shortcuts.csv"
    table = pd.DataFrame(rows, columns=["data", "split", "target", "method", "top1"])
    earlier = pd.read_csv(path) if path.exists() else table[:0]
    return _write(pd.concat([earlier[~earlier["data"].isin(table["data"])], table]), path)


def _bases(steps: Sequence[SeriesStep]) -> dict[tuple[Setting, Run], Study]:
    return {(step.study.setting, run): step.study for step in steps for run in step.runs if run.source is None}


def write_provenance(done: Mapping[str, Sequence[SeriesStep]], folder: Path) -> Path:
    """Write provenance.csv, which says where networks come from: devices, versions, precision, dates, seconds.

    There is one row for each series and key, or several where the receipts differ. Rows of other series stay while
    their tables are in the folder. The number of networks and their seconds count every network of all tables once,
    so write the tables first.
    """
    path = folder / "provenance.csv"
    facts = _earlier_facts(path) | {name: _facts(steps) for name, steps in done.items()}
    facts[ALL_SERIES] = _totals(folder)
    names = [name for name in (ALL_SERIES, *_kept_in(folder)) if name in facts]
    rows = [(key, value, name) for name in names for key, value in facts[name]]
    return _write(pd.DataFrame(rows, columns=["key", "value", "study"]), path)


def keep_receipts(done: Mapping[str, Sequence[SeriesStep]], folder: Path) -> Path:
    """Write receipts.csv and settings.json, from which `verify` retrains; write the tables first.

    Rows of networks of other series stay while these are in the folder.
    """
    steps = [step for chosen in done.values() for step in chosen]
    kept = [(step, _receipts(step)) for step in steps]
    rows = [receipt_rows(_with_setting(tabulate(receipts), step), receipts) for step, receipts in kept]
    settings = {digest(step.study.setting): step.study.setting for step in steps}
    there = pd.concat([pd.read_csv(folder / f"{name}.csv")[ONE_NETWORK] for name in _kept_in(folder)])
    return write_receipts(pd.concat(rows), settings, there, folder)


def conv1_row(study: Study, base: Run) -> dict[str, object]:
    """The first layer of a base, and its controls.

    The KINDS hold the shares (0..1) of its filters, `r2` is the median of their fits. `scrambled` and `r2_scrambled`
    are the same of its filters with their phases scrambled: the share of PAPERS_KINDS, and the median. `likeness` is
    the mean cosine between its filters and the best-matched ones of the other half's base; the other likenesses are
    those to the `likeness_controls` of that base. All four are NaN where that base is not trained.
    """
    own = _first_filters(study, base)
    other = Run(base.split, base.seed, "B" if base.target == "A" else "A")
    alike = [np.nan] * 4
    if study.store.find(other, study.setting):
        theirs = _first_filters(study, other)
        beside = (theirs, *likeness_controls(theirs, base.seed).values())
        alike = [float(match_filters(own, layer).likeness.mean()) for layer in beside]
    table, control = fit_table(own), fit_table(scrambled_filters(own, base.seed))
    shares = [number / len(table) for number in count_kinds(table).values()]
    scrambled = float(control["kind"].isin(PAPERS_KINDS).mean())
    cells = (Path(study.setting.data).name, base.split, base.seed, base.target)
    values = (*cells, *shares, table["r2"].median(), scrambled, control["r2"].median(), *alike)
    return dict(zip(CONV1_COLUMNS, values, strict=True))


def kept_evidence() -> Path | None:
    """The folder of the tables that come with the repository; None outside a checkout."""
    folder = Path(__file__).parents[1] / "results" / "evidence"
    return folder if folder.is_dir() else None


def _joined(earlier: Sequence[_Row], rows: Sequence[_Row]) -> list[_Row]:
    """Earlier and new rows, the dial's last. The dial and the rest keep one data set each, that of the new rows."""
    bases = {_place(row): row for row in (*earlier, *rows)}
    data = {_place(row)[0]: row["data"] for row in rows}
    return [bases[place] for place in sorted(bases) if bases[place]["data"] == data.get(place[0], bases[place]["data"])]


def _place(row: _Row) -> tuple[bool, str, int, str]:
    split = str(row["split"])
    return is_on_dial(split), split, int(str(row["seed"])), str(row["target"])


def _earlier_facts(path: Path) -> dict[str, list[tuple[str, str]]]:
    """The rows of a provenance.csv by series; older files have no column for it, and their rows are dropped."""
    table = pd.read_csv(path, dtype=str) if path.exists() else pd.DataFrame()
    if "study" not in table:
        return {}
    return {
        str(name): list(zip(rows["key"], rows["value"], strict=True))
        for name, rows in table.groupby("study", sort=False)
    }


def _facts(steps: Sequence[SeriesStep]) -> list[tuple[str, str]]:
    """The keys and values that provenance.csv holds for one series."""
    receipts = [receipt for step in steps for receipt in _receipts(step)]
    rows = [("first", min(receipt.times.finished for receipt in receipts))]
    rows += [("last", max(receipt.times.finished for receipt in receipts))]
    for receipt in receipts:
        setting = receipt.setting
        rows += [("device", receipt.device_name), ("precision", setting.precision), ("net", setting.net.name)]
        rows += [(f"{name} version", version) for name, version in receipt.versions.items()]
    return list(dict.fromkeys(rows))


def _totals(folder: Path) -> list[tuple[str, str]]:
    tables = [pd.read_csv(folder / f"{name}.csv")[[*ONE_NETWORK, "seconds"]] for name in _kept_in(folder)]
    networks = pd.concat(tables).drop_duplicates(ONE_NETWORK)
    return [("networks", str(len(networks))), ("seconds", f"{networks['seconds'].sum():.0f}")]


def _kept_in(folder: Path) -> tuple[str, ...]:
    return tuple(name for name in SERIES if (folder / f"{name}.csv").exists())


def _planned(step: SeriesStep) -> pd.DataFrame:
    """The columns split, data and layers of the table that a step will fill, in one row."""
    setting = step.study.setting
    return pd.DataFrame(
        {"split": [step.runs[0].split], "data": [_data_name(step)], "layers": [" ".join(setting.net.layers)]}
    )


def _data_name(step: SeriesStep) -> str:
    return Path(step.study.setting.data).name


def _first_filters(study: Study, base: Run) -> np.ndarray:
    return study.store.weights(base, study.setting)[study.setting.net.first_filters]


def _receipts(step: SeriesStep) -> list[Receipt]:
    found = [step.study.store.find(run, step.study.setting) for run in step.runs]
    receipts = [receipt for receipt in found if receipt]
    if len(receipts) < len(step.runs):
        lacking = [run.label for run, receipt in zip(step.runs, found, strict=True) if receipt is None]
        raise StoreError(
            f"{len(lacking)} networks of this series are not trained, for example {lacking[0]}: run 'python -m "
            "transferkit evidence' again."
        )
    return receipts


def _with_setting(table: pd.DataFrame, step: SeriesStep) -> pd.DataFrame:
    """The table with columns for what differs between the settings of a series."""
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
