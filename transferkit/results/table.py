"""From receipts to tidy tables: one row per network with its paired difference, or one row per epoch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np
import pandas as pd

from transferkit.disk.store import Receipt
from transferkit.errors import DataError
from transferkit.treatments import LAYERS

RUN_COLUMNS = ("run", "treatment", "split", "seed", "source", "target", "n", "finetune")
COLUMNS = (*RUN_COLUMNS, "top1", "paired", "train_loss", "valid_loss", "seconds")
EPOCH_COLUMNS = (*RUN_COLUMNS, "epoch", "learning_rate", "train_loss", "valid_loss", "top1")
SETTING_COLUMNS = ("data", "images_per_class", "epochs", "random_filters", "layers")  # in tables of several settings
_BASE_KEYS = ("split", "seed", "target", "data", "images_per_class", "epochs")


def tabulate(receipts: Iterable[Receipt]) -> pd.DataFrame:
    """One row per network with the columns COLUMNS; accuracies and paired differences are fractions (0..1).

    `paired` is top-1 minus that of the base of the same split, seed and target: 0 for a base, NaN if that base is
    missing. Losses are in nats; `train_loss` is the mean over the last epoch. If the networks have other layers than
    the paper's, the column `layers` names them. Raises DataError for receipts of different settings, naming the
    differences, and for two receipts of one network.

    >>> tk.tabulate(receipts)["run"].tolist()
    ['baseA', 'baseB', 'A3B', 'B3B']
    """
    kept = list(receipts)
    _refuse_mixed(kept)
    rows = [
        (*_run_cells(receipt), receipt.final.top1, np.nan, receipt.final.train_loss, receipt.final.valid_loss,
         receipt.times.seconds)
        for receipt in kept
    ]  # fmt: skip
    table = pair(_with_layers(pd.DataFrame(rows, columns=list(COLUMNS)), kept))
    table.attrs["data"] = kept[0].setting.data if kept else "nothing"
    return table


def tabulate_epochs(receipts: Iterable[Receipt]) -> pd.DataFrame:
    """One row per network and epoch with the columns EPOCH_COLUMNS. Raises DataError for different settings.

    >>> len(tk.tabulate_epochs(receipts))  # two epochs each
    8
    """
    kept = list(receipts)
    _refuse_mixed(kept)
    rows = [
        (*_run_cells(receipt), entry.epoch, entry.learning_rate, entry.train_loss, entry.valid_loss, entry.top1)
        for receipt in kept
        for entry in receipt.log
    ]
    return _with_layers(pd.DataFrame(rows, columns=list(EPOCH_COLUMNS)), kept)


def layers_of(table: pd.DataFrame) -> tuple[str, ...]:
    """The layers of the networks in a table, from its column `layers`; without that column, the paper's eight."""
    if "layers" not in table or table.empty:
        return LAYERS
    return tuple(str(table["layers"].iloc[0]).split())


def _with_layers(table: pd.DataFrame, receipts: Sequence[Receipt]) -> pd.DataFrame:
    layers = receipts[0].setting.net.layers if receipts else LAYERS
    return table if layers == LAYERS else table.assign(layers=" ".join(layers))


def pair(table: pd.DataFrame) -> pd.DataFrame:
    """The same table with its column `paired` computed anew from `top1`.

    A network's base has the same split, seed and target, and the same data, images per class and epochs if the table
    has these columns. Raises DataError when a network appears twice.
    """
    _refuse_twice(table)
    keys = _present(table, _BASE_KEYS)
    bases = table.loc[table["treatment"] == "base", [*keys, "top1"]].rename(columns={"top1": "base"})
    merged = table.merge(bases, on=keys, how="left", validate="many_to_one")
    return merged.assign(paired=merged["top1"] - merged["base"])[list(table.columns)]


def refuse_incomplete(table: pd.DataFrame) -> pd.DataFrame:
    """The table itself. Raises DataError when a network has no base to be paired with, or appears twice."""
    _refuse_twice(table)
    lonely = table[table["paired"].isna()]
    if not lonely.empty:
        first = lonely.iloc[0]
        raise DataError(
            f"{len(lonely)} networks have no base to be paired with, as {first['run']} ({first['split']}, seed "
            f"{first['seed']}): train base{first['target']} of that split and seed, or leave those networks out."
        )
    return table


def refuse_mixed(table: pd.DataFrame) -> pd.DataFrame:
    """The table itself. Raises DataError when it mixes networks of several settings, naming the column and values."""
    for column in _present(table, SETTING_COLUMNS):
        values = list(dict.fromkeys(table[column].dropna()))
        if len(values) > 1:
            raise DataError(
                f"the table mixes {column} {' and '.join(map(str, values[:3]))}: give networks of one setting only, "
                "or their differences would be taken for those of treatments."
            )
    return table


def _run_cells(receipt: Receipt) -> tuple[object, ...]:
    run = receipt.run
    return (run.label, run.treatment, run.split, run.seed, run.source, run.target, run.n, run.finetune)


def _present(table: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    return [column for column in columns if column in table.columns]


def _refuse_twice(table: pd.DataFrame) -> None:
    keys = ["run", "split", "seed", *_present(table, SETTING_COLUMNS)]
    twice = table[table.duplicated(keys)]
    if not twice.empty:
        first = twice.iloc[0]
        raise DataError(
            f"{first['run']} ({first['split']}, seed {first['seed']}) is in the table twice: give each network once, "
            "or means would count it double."
        )


def _refuse_mixed(receipts: Sequence[Receipt]) -> None:
    if not receipts:
        return
    first = next((receipt for receipt in receipts if receipt.setting.given), receipts[0])
    for other in receipts:
        if other.setting == first.setting.of(other.run):
            continue
        one, two = (dict(_leaves(msgspec.to_builtins(receipt.setting))) for receipt in (first, other))
        names = [name for name in dict.fromkeys([*one, *two]) if one.get(name) != two.get(name)]
        differing = ", ".join(f"{name} ({one.get(name)} and {two.get(name)})" for name in names[:3])
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise DataError(
            f"{first.run.label} and {other.run.label} were trained under different settings: {differing}{more}. "
            "Tabulate each setting on its own."
        )


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value in nested settings, with its dotted name."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping) for inner in value):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(inner, f"{path}{number}")
    else:
        yield path, value
