"""From evidence to the ledger: one row per claim, with estimate, interval and verdict."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from transferkit.claims.judge import Claim, interval_of, judge
from transferkit.claims.sizes import diagnose_sizes
from transferkit.claims.statements import CLAIMS
from transferkit.claims.tables import Evidence
from transferkit.results import Estimate

LEDGER_COLUMNS = (
    "claim", "estimate", "low", "high", "n", "verdict", "more", "clusters", "over", "unit", "margin", "kind",
    "sentence", "statistic", "source", "note",
)  # fmt: skip


def ledger(evidence: Evidence, claims: Sequence[Claim] = CLAIMS, *, published: bool = False) -> pd.DataFrame:
    """One row per claim with LEDGER_COLUMNS; estimate, 95 % interval and margin in `unit`, `n` networks behind them.

    `more` is how many further splits (or seeds, as `over` says) would decide. Where the data are missing the
    verdict is "no data" and the note says what to run, or "not published" for `published` evidence.
    """
    rows = [_row(claim, claim.measure(evidence), published=published) for claim in claims]
    table = pd.DataFrame(rows, columns=list(LEDGER_COLUMNS))
    if evidence.sizes is not None:
        table.loc[table["claim"].isin(["freeze-small", "finetune-large"]), "note"] += _reasons(evidence.sizes)
    return table


def _row(claim: Claim, found: Estimate | None, *, published: bool) -> tuple[object, ...]:
    told = (claim.unit, claim.margin, claim.kind, claim.sentence, claim.statistic, claim.source)
    if found is None:
        note = "" if published else f"run: python -m transferkit evidence --only {claim.study}"
        verdict = "not published" if published else "no data"
        return (claim.key, np.nan, np.nan, np.nan, 0, verdict, np.nan, 0, "", *told, note)
    verdict, more = judge(claim, found)
    low, high = (claim.scale * bound for bound in interval_of(found))
    return (
        claim.key, claim.scale * found.value, low, high, found.networks, verdict, more, found.clusters, found.over,
        *told, _note(found, low),
    )  # fmt: skip


def _note(found: Estimate, low: float) -> str:
    notes = []
    if np.isnan(low) and found.over == "seeds" and len(found.splits) == 1:
        notes.append(f"one split only ({found.splits[0]}): no interval")
    elif np.isnan(low):
        notes.append("one split or seed on one side: no interval")
    elif found.over == "seeds":
        notes.append(f"over seeds of {' and '.join(found.splits)}: says nothing about other splits")
    if not found.matched:
        notes.append("different networks on either side")
    return "; ".join(notes)


def _reasons(sizes: pd.DataFrame) -> str:
    """What the worse treatment suffers from, by target-set size, as the majority of n has it."""
    table = diagnose_sizes(sizes)
    if table.empty:
        return ""
    told = []
    for size, rows in table.groupby("images_per_class"):
        worse, because = rows[["worse", "because"]].value_counts().index[0]
        told.append(f"{int(size)} images per class: {worse} is worse by {because}")
    return f" ({'; '.join(told)})"
