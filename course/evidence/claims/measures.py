"""What each claim measures: an estimate, as a fraction, from the tables of the evidence; None without the data.

n counts the paper's eight layers; networks with other layers take part where they are chopped at the same depth.
"""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from course.evidence.claims.tables import Evidence, on_dial
from course.evidence.first_layers import PAPERS_KINDS
from course.evidence.plan import same_depth
from course.evidence.statistics import compare, contrast, jackknife, slope
from course.evidence.steps import beyond_the_widest_step
from course.looking.kinds import KINDS
from transferkit.results import Estimate, estimate, layers_of
from transferkit.splits import SplitKind, kind_of, overlap_of
from transferkit.treatments import CHOP_POINTS, Treatment

Table = pd.DataFrame | None
DIP = (3, 4, 5)
AROUND_DIP = (1, 2, 6, 7)  # centred on the dip, so that a steady rise or fall with n cancels out


def at(table: Table, treatment: Treatment, ns: Iterable[int] = CHOP_POINTS) -> Estimate | None:
    """The mean paired difference of a treatment at these n."""
    return None if table is None else estimate(_chosen(table, (treatment,), ns))


def between(table: Table, first: Treatment, second: Treatment, ns: Iterable[int] = CHOP_POINTS) -> Estimate | None:
    """The mean difference of two treatments at these n, matched on split, seed, target and n."""
    return None if table is None else contrast(_chosen(table, (first, second), ns), first, second)


def falls_with_n(table: Table) -> Estimate | None:
    """The slope of AnB's paired difference, per layer."""
    return None if table is None else slope(_chosen(table, ("AnB",)))


def gradual(table: Table) -> Estimate | None:
    """How far AnB lies below BnB at the last n, without the one layer at which it falls most."""
    return None if table is None else beyond_the_widest_step(_chosen(table, ("AnB", "BnB")))


def recovered(table: Table, ns: Iterable[int]) -> Estimate | None:
    """Base minus BnB at these n, which is the dip, or BnB+ minus BnB, which is what fine-tuning wins: the smaller one.

    So it is above zero only where there is a dip, and fine-tuning wins something back.
    """
    dip, gain = at(table, "BnB", ns), between(table, "BnB+", "BnB", ns)
    if dip is None or gain is None:
        return None
    return min(replace(dip, value=-dip.value), gain, key=lambda one: one.value)


def curvature(table: Table) -> Estimate | None:
    """BnB at the middle n minus BnB at the others, on the same targets."""
    if table is None:
        return None
    keys = ["split", "seed", "target"]
    middle, around = (_chosen(table, ("BnB",), ns).groupby(keys)["paired"].mean() for ns in (DIP, AROUND_DIP))
    return estimate((middle - around).reset_index(), networks_per_row=len(DIP + AROUND_DIP))


def dissimilar_against_similar(evidence: Evidence) -> Estimate | None:
    """AnB's mean paired difference between dissimilar halves minus that between similar ones."""
    return compare(at(evidence.dissimilar, "AnB"), at(evidence.similar, "AnB"))


def between_kinds_of_split(apart: Table, one: SplitKind, other: SplitKind) -> Estimate | None:
    """AnB's mean paired difference on splits of kind `one`, minus that on splits of kind `other`."""
    if apart is None:
        return None
    first, second = (apart[apart["split"].map(kind_of) == kind] for kind in (one, other))
    return compare(at(first, "AnB"), at(second, "AnB"))


def early_lead(epochs: Table) -> Estimate | None:
    """AnB+ minus its own target's base after a third of the training, when both have seen equally many images."""
    if epochs is None:
        return None
    early = epochs[epochs["epoch"] == max(1, round(epochs["epoch"].max() / 3))]
    keys = ["split", "seed", "target"]
    bases = early.loc[early["treatment"] == "base", [*keys, "top1"]].rename(columns={"top1": "base"})
    both = early[early["treatment"] == "AnB+"].merge(bases, on=keys)
    return estimate(both.assign(paired=both["top1"] - both["base"]))


def longer_against_finetuned(evidence: Evidence) -> Estimate | None:
    """A base that saw as many images as base and fine-tuning together, minus AnB+ on the same target."""
    longer, similar = evidence.longer, evidence.similar
    if longer is None or similar is None:
        return None
    keys = ["split", "seed", "target"]
    long = longer[(longer["treatment"] == "base") & (longer["epochs"] == longer["epochs"].max())]
    tuned = _chosen(similar, ("AnB+",)).groupby(keys)["top1"].agg(tuned="mean", count="count").reset_index()
    both = long.merge(tuned, on=keys)
    found = estimate(both.assign(paired=both["top1"] - both["tuned"]))
    return found and replace(found, networks=len(both) + int(both["count"].sum()))


def gain_of_longer(evidence: Evidence) -> Estimate | None:
    """A base minus the same base trained for longer, negative where the longer training helps."""
    longer, similar = evidence.longer, evidence.similar
    if longer is None or similar is None:
        return None
    bases, keys = similar[similar["treatment"] == "base"], ["split", "seed", "target"]
    both = bases.merge(longer[longer["epochs"] == longer["epochs"].max()], on=keys, suffixes=("", "_longer"))
    return estimate(both.assign(paired=both["top1"] - both["top1_longer"]), networks_per_row=2)


def lifted_by_stopping_early(lengths: Table) -> Estimate | None:
    """BnB against its own base after the fewest epochs."""
    return None if lengths is None else at(lengths[lengths["epochs"] == lengths["epochs"].min()], "BnB")


def freezing(sizes: Table, *, largest: bool) -> Estimate | None:
    """AnB+ minus AnB with the largest or the smallest target set."""
    if sizes is None:
        return None
    size = sizes["images_per_class"].max() if largest else sizes["images_per_class"].min()
    return between(sizes[sizes["images_per_class"] == size], "AnB+", "AnB")


def size_matters(sizes: Table) -> Estimate | None:
    """What fine-tuning gains over freezing with the largest target set, minus what it gains with the smallest."""
    if sizes is None or sizes["images_per_class"].nunique() < 2:
        return None
    keys = ["split", "seed", "target", "n"]
    gains = []
    for size in (sizes["images_per_class"].max(), sizes["images_per_class"].min()):
        rows = sizes[sizes["images_per_class"] == size]
        tuned, frozen = (rows[rows["treatment"] == name].set_index(keys)["top1"] for name in ("AnB+", "AnB"))
        gains.append(tuned - frozen)
    return estimate((gains[0] - gains[1]).rename("paired").reset_index(), networks_per_row=4)


def scaled_against_published(plateau: Table) -> Estimate | None:
    """RnB drawn after He et al. minus RnB drawn as published, at n of 3 and more."""
    if plateau is None:
        return None
    keys = ["split", "seed", "target", "n"]
    rows = _chosen(plateau, ("RnB",), range(3, 8))
    he, published = (rows[rows["random_filters"] == name].set_index(keys)["top1"] for name in ("he", "published"))
    return estimate((he - published).rename("paired").reset_index(), networks_per_row=2)


def rises_with_overlap(dial: Table) -> Estimate | None:
    """The slope over splits of AnB's paired difference against the share of parts that the halves have in common."""
    if dial is None:
        return None
    rows = _chosen(dial, ("AnB",))
    means = rows.groupby("split")["paired"].mean()
    if len(means) < 3:
        return None
    overlaps = np.array([overlap_of(str(name)) for name in means.index])
    line = stats.linregress(overlaps, means.to_numpy())
    return Estimate(float(line.slope), float(line.stderr), len(means) - 2, len(means), len(rows))


def of_papers_kinds(conv1: Table) -> Estimate | None:
    """The share of Gabors, edges and colour blobs in conv1, minus that of the control; without the dial's bases."""
    if conv1 is None or on_dial(conv1).all():
        return None
    rows = conv1[~on_dial(conv1)]
    return estimate(rows.assign(lead=rows[list(PAPERS_KINDS)].sum(axis=1) - rows["scrambled"]), "lead")


def halves_differ(conv1: Table) -> Estimate | None:
    """The share of filters that are of another kind in conv1 of baseA than of baseB; without the dial's bases."""
    if conv1 is None or on_dial(conv1).all():
        return None
    rows = conv1[~on_dial(conv1)]

    def apart(chosen: pd.DataFrame) -> float:
        return kinds_apart(*(chosen[chosen["target"] == half] for half in "AB"))

    return jackknife(rows, apart)


def data_differ(conv1: Table) -> Estimate | None:
    """The share of filters that are of another kind in conv1 on the usual data than on the dial's data."""
    if conv1 is None or conv1["data"].nunique() < 2:
        return None
    first, second = conv1[~on_dial(conv1)], conv1[on_dial(conv1)]
    others = second[~second["data"].isin(first["data"])]
    one = jackknife(first, lambda chosen: kinds_apart(chosen, others))
    two = jackknife(others, lambda chosen: kinds_apart(first, chosen))
    return one and two and replace(
        one, error=math.hypot(one.error, two.error), freedom=min(one.freedom, two.freedom),
        clusters=min(one.clusters, two.clusters), networks=one.networks + two.networks, matched=False,
    )  # fmt: skip


def kinds_apart(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """How unlike the kinds of filters are: half the sum of the differences of all kinds' mean shares, 0..1.

    Kinds that make up for each other in a sum do not cancel out here. Chance alone makes it a little more than 0.
    """
    kinds = list(KINDS)
    return float((one[kinds].mean() - other[kinds].mean()).abs().sum() / 2)


def alike(conv1: Table) -> Estimate | None:
    """Mean likeness of best-matched filters of baseA and baseB, minus that to the most alike of the controls.

    These are changes of baseB: "scrambled", "recoloured" and "turned", as in `first_layers.likeness_controls`. The
    dial's bases take no part.
    """
    if conv1 is None or on_dial(conv1).all():
        return None
    rows = conv1[~on_dial(conv1)]
    hardest = rows[["likeness_scrambled", "likeness_recoloured", "likeness_turned"]].mean().idxmax()
    return estimate(rows.assign(lead=rows["likeness"] - rows[hardest]), "lead")


def _chosen(table: pd.DataFrame, treatments: Iterable[Treatment], ns: Iterable[int] = CHOP_POINTS) -> pd.DataFrame:
    """The rows of these treatments at these n of the paper's eight layers, or at the same depths of other layers."""
    points = same_depth(ns, layers_of(table))
    return table[table["treatment"].isin(list(treatments)) & table["n"].isin(points)]
