"""From evidence to the ledger: one row for each claim, with estimate, interval and verdict."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course.evidence.claims.judge import Claim, interval_of, judge, single_draws
from course.evidence.claims.lengths import depends_on_length
from course.evidence.claims.measures import between_kinds_of_split
from course.evidence.claims.pictures import OnePicture, by_width, of_networks, over_pictures
from course.evidence.claims.sizes import diagnose_sizes
from course.evidence.claims.statements import CLAIMS, QUESTIONS
from course.evidence.claims.tables import Evidence
from transferkit.results import Estimate

OF_PHOTOGRAPHS = "a matter of the photographs"
SMALL = "a small difference: the interval excludes zero"
LEDGER_COLUMNS = (
    "claim", "estimate", "low", "high", "n", "verdict", "more", "clusters", "over", "unit", "margin", "kind",
    "sentence", "statistic", "source", "question", "note",
)  # fmt: skip


def ledger(evidence: Evidence, claims: Sequence[Claim] = CLAIMS, *, published: bool = False) -> pd.DataFrame:
    """One row for each claim with LEDGER_COLUMNS; estimate, 95 % interval and margin are in `unit`, from `n` networks.

    Where both are known, the wider of the intervals over splits and over pictures is judged, and the note has the
    other. `more` is how many more splits (or seeds or pictures, as `over` says) would decide. Without data the
    verdict is "no data" and the note says what to run; for `published` evidence the verdict is then "not
    published".
    """
    pictures = of_networks(evidence.pictures, evidence.similar)
    rows = [_row(claim, claim.measure(evidence), pictures, published=published) for claim in claims]
    table = pd.DataFrame(rows, columns=list(LEDGER_COLUMNS))
    if evidence.sizes is not None:
        for key, reason in zip(("freeze-small", "finetune-large"), _reasons(evidence.sizes), strict=False):
            table.loc[table["claim"] == key, "note"] += reason
    if words := _of_photographs(evidence):
        judged = (table["claim"] == "worse-when-dissimilar") & (table["n"] > 0)
        table.loc[judged, "note"] = words + "; " + table.loc[judged, "note"]
    if evidence.lengths is not None:
        for key, words in depends_on_length(evidence.lengths, evidence.pictures, claims).items():
            notes = table.loc[table["claim"] == key, "note"]
            table.loc[table["claim"] == key, "note"] = notes.map(
                lambda note, words=words: "; ".join(filter(None, (note, words)))
            )
    return table


def _row(
    claim: Claim, found: Estimate | None, pictures: Sequence[OnePicture], *, published: bool
) -> tuple[object, ...]:
    question = next((asked for asked, claims in QUESTIONS.items() if claim in claims), "")
    about = (claim.unit, claim.margin, claim.kind, claim.sentence, claim.statistic, claim.source, question)
    if found is None:
        note = "" if published else f"run: python -m transferkit evidence --only {claim.series}"
        verdict = "not published" if published else "no data"
        return (claim.key, np.nan, np.nan, np.nan, 0, verdict, np.nan, 0, "", *about, note)
    wide, narrow = by_width(found, over_pictures(claim, found, pictures))
    verdict, more = judge(claim, wide)
    low, high = (claim.scale * bound for bound in interval_of(wide))
    notes = [*_notes(found, low), *([SMALL] if verdict == "undecided" and low * high > 0 else [])]
    if narrow:
        within = [f"{claim.scale * bound:+.2f}" for bound in interval_of(narrow)]
        notes.append(f"over {narrow.clusters} {narrow.over}: {' to '.join(within)}")
    return (
        claim.key, claim.scale * found.value, low, high, found.networks, verdict, more, wide.clusters, wide.over,
        *about, "; ".join(notes),
    )  # fmt: skip


def _notes(found: Estimate, low: float) -> list[str]:
    notes = []
    if single := single_draws(found):
        notes.append(f"one split only ({', '.join(single)}): no interval")
    elif np.isnan(low):
        notes.append(f"one seed only of {', '.join(found.seeds_of)}: no interval")
    elif found.seeds_of:
        notes.append(f"over seeds of {', '.join(found.seeds_of)}: says nothing about other splits")
    if not found.matched:
        notes.append("different networks on either side")
    return notes


def _of_photographs(evidence: Evidence) -> str:
    """How much of what dissimilar halves cost, halves of the same kinds cost too when they share no photograph."""
    both, alone = (between_kinds_of_split(evidence.apart, kind, "random") for kind in ("natural", "apart"))
    if both is None or alone is None or not both.value < 0:
        return ""
    most = "mostly " if alone.value < both.value / 2 else "not mostly "
    return f"{most}{OF_PHOTOGRAPHS}: {100 * alone.value:+.2f} between halves of the same kinds that share none"


def _reasons(sizes: pd.DataFrame) -> list[str]:
    """For the smallest and the largest target set: the treatment with the worse loss, and what it suffers from."""
    table = diagnose_sizes(sizes)
    reasons = []
    for size in sorted(set(table["images_per_class"]))[:: max(1, table["images_per_class"].nunique() - 1)]:
        rows = table[table["images_per_class"] == size]
        worse, because = rows[["worse", "because"]].value_counts().index[0]  # at most n
        reasons.append(f" ({size} images per class: {worse} suffers from {because})")
    return reasons
