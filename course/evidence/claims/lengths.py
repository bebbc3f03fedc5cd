"""What one would have concluded after other lengths of training: each claim judged on networks of every length."""

from collections.abc import Sequence

import pandas as pd

from course.evidence.claims.judge import Claim, judge
from course.evidence.claims.pictures import by_width, of_networks, over_pictures
from course.evidence.claims.statements import CLAIMS
from course.evidence.claims.tables import Evidence

ON_LENGTH = "depends on the length of training"
LENGTH_COLUMNS = ("epochs", "claim", "sentence", "estimate", "unit", "verdict", "clusters", "n")


def judge_by_length(
    lengths: pd.DataFrame, pictures: pd.DataFrame | None = None, claims: Sequence[Claim] = CLAIMS
) -> pd.DataFrame:
    """One row with LENGTH_COLUMNS for each number of epochs and each claim that the networks of one length can test.

    `lengths` and `pictures` are those tables of the evidence: the same networks after several numbers of epochs. The n
    that a claim asks for are those that were trained. `n` counts networks, `clusters` splits or pictures.
    """
    rows = []
    for epochs, trained in lengths.groupby("epochs"):
        evidence, measured = Evidence(similar=trained), of_networks(pictures, trained)
        for claim in claims:
            found = claim.measure(evidence) if claim.series == "similar" else None
            if found is not None:
                wide, _ = by_width(found, over_pictures(claim, found, measured))
                value, about = claim.scale * found.value, (claim.key, claim.sentence)
                rows.append((epochs, *about, value, claim.unit, judge(claim, wide)[0], wide.clusters, wide.networks))
    return pd.DataFrame(rows, columns=list(LENGTH_COLUMNS))


def depends_on_length(
    lengths: pd.DataFrame, pictures: pd.DataFrame | None = None, claims: Sequence[Claim] = CLAIMS
) -> dict[str, str]:
    """The verdicts in words, by key, of each claim that holds after some lengths of training and fails after others."""
    if len(set(lengths["split"])) > 1:  # pictures only widen an interval, so they decide nothing that splits do not
        among = _held_and_failed(judge_by_length(lengths, None, claims))
        claims = [claim for claim in claims if claim.key in among]
    judged = judge_by_length(lengths, pictures, claims)
    wanted, found = _held_and_failed(judged), {}
    for key, rows in judged.groupby("claim"):
        if key in wanted:
            runs = (rows["verdict"] != rows["verdict"].shift()).cumsum()
            parts = [(group["verdict"].iloc[0], group["epochs"]) for _, group in rows.groupby(runs)]
            found[str(key)] = f"{ON_LENGTH}: " + ", ".join(
                f"{verdict} after {_span(epochs)} epochs" for verdict, epochs in parts
            )
    return found


def _held_and_failed(judged: pd.DataFrame) -> set[str]:
    """The claims that hold after some lengths of training and fail after others."""
    verdicts = judged.groupby("claim")["verdict"].agg(set)
    return {str(key) for key, seen in verdicts.items() if {"holds", "fails"} <= seen}


def _span(epochs: pd.Series) -> str:
    first, last = epochs.iloc[0], epochs.iloc[-1]
    return f"{first}" if first == last else f"{first} to {last}"
