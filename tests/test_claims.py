"""Grids with planted effects get the verdicts they deserve; the ledger can say holds, fails and undecided."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from course.evidence.claims import (
    CLAIMS,
    LEDGER_COLUMNS,
    Claim,
    Evidence,
    authors_evidence,
    diagnose_sizes,
    judge,
    judge_by_length,
    ledger,
    read_evidence,
)
from course.evidence.claims.lengths import LENGTH_COLUMNS
from course.evidence.collect import CONV1_COLUMNS
from tests.evidence.after_tables import after_table
from transferkit.errors import DataError
from transferkit.results import COLUMNS, Estimate, pair
from transferkit.treatments import MADE, Run, grid, plan

RANDOMS = ("random0", "random1", "random2", "random3")
APART = ("apart0", "apart1", "apart2", "apart3")
DIALS = ("overlap-0", "overlap-0.25", "overlap-0.5", "overlap-0.75", "overlap-1")


@dataclass(frozen=True)
class World:
    """What is true of the networks, in points; `noise` is their scatter."""

    first_layers: float = 0.0  # AnB at n = 1, 2
    specificity: float = 1.5  # points lost per layer above the second
    distant: float = 2.0  # times that between dissimilar halves
    dip: float = 3.0  # BnB at n = 3, 4, 5
    boost: float = 1.0  # AnB+
    control: float = 0.5  # BnB+
    random: float = 30.0  # points lost with random filters
    lead: float = 5.0  # AnB+ over base after a third of the training
    longer: float = 0.5  # what twice the training brings a base
    early: float = 4.0  # by how much BnB lies higher after half the training
    small: float = -4.0  # AnB+ minus AnB with few images
    published: float = 20.0  # points that random filters as published lose against He's
    kinds: float = 0.0  # difference of the share of Gabors, baseA minus baseB and between data
    enough: float = 0.0  # conv1 made of Gabors or components, against the base's own
    shape: float = 5.0  # and what noise in their place loses besides
    likeness: float = 0.4
    scrambled: float = 0.1
    later: float = 3.0  # what was found after 2014, against its rival
    noise: float = 0.05

    def effect(self, run: Run) -> float:
        dissimilar = self.distant if not run.split.startswith("random") else 1.0
        if run.split.startswith("overlap"):
            dissimilar = 1 + (self.distant - 1) * (1 - float(run.split.removeprefix("overlap-")))
        if run.split.startswith("apart"):  # as far from the random splits as from the natural one
            dissimilar = (1 + self.distant) / 2
        transfer = self.first_layers - self.specificity * dissimilar * max(0, run.n - 2)
        dip = -self.dip if run.n in (3, 4, 5) else 0.0
        return {
            **{f"{made}nB": self.enough - self.shape * (made in "SW") for made in MADE},
            **{f"{made}nB+": self.enough + self.control for made in MADE},
            "base": 0.0, "BnB": dip, "BnB+": self.control, "AnB": transfer, "AnB+": self.boost, "RnB": -self.random,
        }[run.treatment]  # fmt: skip


def networks(
    world: World, splits: Sequence[str], seeds: int = 1, chosen: Callable[[str, int], Sequence[Run]] = grid
) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    rows = []
    for split in splits:
        for run in (run for seed in range(seeds) for run in chosen(split, seed)):
            top1 = 0.7 + (world.effect(run) + generator.normal(0, world.noise)) / 100
            rows.append(
                (run.label, run.treatment, run.split, run.seed, run.source, run.target, run.n, run.finetune,
                 top1, np.nan, 1.0, 1.0, 1.0)
            )  # fmt: skip
    table = pair(pd.DataFrame(rows, columns=list(COLUMNS)))
    return table.assign(data="photos", images_per_class=320, epochs=6, random_filters="he")


def evidence_of(world: World) -> Evidence:
    similar = networks(world, RANDOMS)
    bases = similar["treatment"] == "base"
    whole = similar[similar["treatment"].isin(["base", "AnB", "AnB+"]) & similar["n"].isin([0, 1, 2])]
    few = whole.assign(images_per_class=10)
    frozen = few[few["treatment"] == "AnB"].set_index(["split", "target", "n"])["top1"]
    tuned = few["treatment"] == "AnB+"
    few.loc[tuned, "top1"] = [
        frozen[row["split"], row["target"], row["n"]] + world.small / 100 for row in few[tuned].to_dict("records")
    ]
    plateau = similar[similar["treatment"].isin(["base", "RnB"])]
    published = plateau[plateau["treatment"] == "RnB"].assign(random_filters="published")
    half = similar.assign(epochs=3)
    half.loc[half["treatment"] == "BnB", "top1"] += world.early / 100
    epochs = [similar.assign(epoch=epoch, top1=similar["top1"] - 0.1) for epoch in range(1, 7)]
    for table in epochs[:2]:
        table.loc[table["treatment"] == "AnB+", "top1"] += (world.lead - world.boost) / 100
    dissimilar = networks(world, ["natural"], seeds=3)
    return Evidence(
        similar=similar,
        dissimilar=dissimilar,
        apart=pair(pd.concat([similar, networks(world, APART), dissimilar], ignore_index=True)),
        sizes=pair(pd.concat([whole, few])),
        longer=similar[bases].assign(top1=similar["top1"] + world.longer / 100, epochs=12),
        lengths=pair(pd.concat([half, similar])),
        plateau=pair(pd.concat([plateau, published.assign(top1=published["top1"] - world.published / 100)])),
        dial=networks(world, DIALS),
        made=networks(world, RANDOMS, chosen=made_instead),
        made_dial=networks(world, DIALS, chosen=made_instead).assign(data="shapeworld"),
        epochs=pd.concat(epochs),
        conv1=first_layers(world),
        after=after_table(world.later, world.enough, world.noise),
    )


def made_instead(split: str, seed: int) -> Sequence[Run]:
    labels = [f"{source}1{target}{plus}" for source in ("B", *MADE) for target in "B" for plus in ("", "+")]
    return plan(split, [seed], labels)


def first_layers(world: World) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    rows = []
    for number, (data, splits) in enumerate((("photos", RANDOMS), ("shapeworld", DIALS))):
        for split in splits:
            for target in "AB":
                shift = (number - (target == "B")) * world.kinds / 100
                gabor = 0.5 + shift + generator.normal(0, world.noise / 100)
                kinds = (gabor, 0.1, 0.2, 0.0, 0.7 - gabor, 0.8)
                likenesses = (world.likeness + generator.normal(0, 1e-3), 0.1, 0.15, 0.2)
                rows.append((data, split, 0, target, *kinds, world.scrambled, 0.5, *likenesses))
    return pd.DataFrame(rows, columns=list(CONV1_COLUMNS))


AS_CLAIMED = World()
OPPOSITE = World(
    first_layers=-6, specificity=-2, distant=2.0, dip=-3, boost=-4, control=-4, random=-30, lead=-5, longer=-12,
    early=-4, small=6, published=-20, kinds=60, enough=-6, shape=-5, likeness=0.1, scrambled=0.9, later=-4,
)  # fmt: skip
NOISY = World(
    first_layers=-1, specificity=0.1, distant=1.1, dip=0.5, boost=0.5, control=0.5, random=0.5, lead=0.5, longer=0.5,
    early=0.5, small=-0.4, published=0.2, kinds=20, shape=0.5, likeness=0.21, scrambled=0.75, noise=40.0, later=0.5,
)  # fmt: skip


def verdicts(evidence: Evidence) -> dict[str, str]:
    table = ledger(evidence)
    assert tuple(table.columns) == LEDGER_COLUMNS
    return dict(zip(table["claim"], table["verdict"], strict=True))


def test_every_claim_holds_in_a_world_made_to_the_claims() -> None:
    assert set(verdicts(evidence_of(AS_CLAIMED)).values()) == {"holds"}


def test_every_claim_fails_in_a_world_made_to_the_opposite() -> None:
    found = verdicts(evidence_of(OPPOSITE))
    fine = {"boost-over-control", "size-matters", "finetune-large", "learned"}  # of two effects: below
    assert {key for key, verdict in found.items() if verdict != "fails"} <= fine
    assert verdicts(evidence_of(replace(AS_CLAIMED, control=4.0)))["boost-over-control"] == "fails"
    assert verdicts(evidence_of(replace(AS_CLAIMED, control=-3.0)))["recovery"] == "fails"
    assert verdicts(evidence_of(replace(AS_CLAIMED, longer=4.0)))["learned"] == "fails"
    flipped = verdicts(evidence_of(replace(AS_CLAIMED, boost=-2, small=6)))
    assert (flipped["finetune-large"], flipped["size-matters"]) == ("fails", "fails")


def test_a_verdict_that_depends_on_the_length_of_training_says_so() -> None:
    evidence = evidence_of(AS_CLAIMED)
    notes = ledger(evidence).set_index("claim")["note"]
    assert notes["dip"] == "depends on the length of training: fails after 3 epochs, holds after 6 epochs"
    assert notes["worse-with-n"] == ""
    assert evidence.lengths is not None
    table = judge_by_length(evidence.lengths)
    assert tuple(table.columns) == LENGTH_COLUMNS
    full = table[table["epochs"] == 6].set_index("claim")
    ours = ledger(evidence).set_index("claim").loc[full.index]
    assert full["verdict"].tolist() == ours["verdict"].tolist()
    assert full["estimate"].to_numpy() == pytest.approx(ours["estimate"].to_numpy())


@pytest.mark.parametrize(("apart", "words"), [(2.6, "mostly"), (1.2, "not mostly")])
def test_what_dissimilar_halves_cost_is_told_beside_what_the_photographs_cost(apart: float, words: str) -> None:
    similar, natural = networks(AS_CLAIMED, RANDOMS), networks(AS_CLAIMED, ["natural"], seeds=3)
    between = networks(replace(AS_CLAIMED, distant=apart), APART)
    evidence = Evidence(similar=similar, dissimilar=natural, apart=pair(pd.concat([similar, between, natural])))
    table = ledger(evidence).set_index("claim")
    alone = float(str(table.loc["worse-when-apart", "estimate"]))
    said = f"{words} a matter of the photographs: {alone:+.2f} between halves"
    assert str(table.loc["worse-when-dissimilar", "note"]).startswith(said)
    without = ledger(replace(evidence, apart=None)).set_index("claim")
    assert "photographs" not in str(without.loc["worse-when-dissimilar", "note"])


def test_an_undecided_interval_that_excludes_zero_is_told_as_a_small_difference() -> None:
    similar = networks(replace(AS_CLAIMED, first_layers=-0.8, noise=0.5), RANDOMS)
    row = ledger(Evidence(similar=similar)).set_index("claim").loc["general-1-2"]
    assert row["low"] < -1 < row["high"] < 0
    assert (row["verdict"], row["note"]) == ("undecided", "a small difference: the interval excludes zero")


def test_nothing_is_decided_where_noise_drowns_the_effects() -> None:
    table = ledger(evidence_of(NOISY))
    drowned = table[~table["claim"].isin(["conv1-alike", "longer-closes-gap", "learned", "random-plateau"])]
    undecided = drowned["verdict"] == "undecided"
    assert undecided.mean() > 0.8
    assert (drowned.loc[undecided, "more"] > 0).all()


def test_a_ledger_without_data_says_what_to_run() -> None:
    table = ledger(Evidence())
    assert set(table["verdict"]) == {"no data"}
    assert table["note"].str.fullmatch(r"run: python -m transferkit evidence --only \w+").all()
    assert set(ledger(Evidence(), published=True)["verdict"]) == {"not published"}


def test_the_authors_runs_support_the_papers_curve_but_not_the_boost_over_the_control() -> None:
    table = ledger(authors_evidence(), published=True).set_index("claim")
    holds = [
        "general-1-2",
        "general-1-2-control",
        "worse-with-n",
        "specific-6-7",
        "dip",
        "dip-shape",
        "recovery",
        "boost",
    ]
    assert set(table.loc[holds, "verdict"]) == {"holds"}
    assert table.loc["boost-over-control", "verdict"] == "fails"
    assert table.loc["general-1-2-control", "estimate"] == pytest.approx((0.15 - 0.01) / 2, abs=0.006)
    for key in ("worse-when-dissimilar", "better-than-random"):  # one natural split, one seed
        assert table.loc[key, "verdict"] == "undecided"
        assert "no interval" in str(table.loc[key, "note"])
    assert table.loc["longer-closes-gap", "verdict"] == "not published"


def test_one_random_split_gives_no_interval_and_says_so() -> None:
    table = ledger(Evidence(similar=networks(AS_CLAIMED, ["random0"], seeds=3))).set_index("claim")
    row = table.loc["worse-with-n"]
    assert np.isnan(row["low"])
    assert (row["verdict"], row["note"]) == ("undecided", "one split only (random0): no interval")


def test_the_one_natural_split_has_an_interval_over_its_seeds_and_says_so() -> None:
    table = ledger(Evidence(dissimilar=networks(AS_CLAIMED, ["natural"], seeds=3))).set_index("claim")
    row = table.loc["better-than-random"]
    assert (row["verdict"], row["over"], row["clusters"]) == ("holds", "seeds", 3)
    assert row["note"] == "over seeds of natural: says nothing about other splits"
    table = ledger(Evidence(dissimilar=networks(AS_CLAIMED, ["natural"]))).set_index("claim")
    assert table.loc["better-than-random", "note"] == "one seed only of natural: no interval"


def test_wrong_tables_are_refused() -> None:
    table = networks(AS_CLAIMED, RANDOMS)
    with pytest.raises(DataError, match=r"have no base .* train baseB"):
        Evidence(similar=pair(table[table["run"] != "baseB"]))
    with pytest.raises(DataError, match="is in the table twice"):
        Evidence(similar=pd.concat([table, table.tail(1)]))
    with pytest.raises(DataError, match="the table mixes epochs 6 and 12: give networks of one setting only"):
        Evidence(similar=pd.concat([table, table.assign(epochs=12)]))


@pytest.mark.parametrize(
    ("kind", "value", "error", "verdict"),
    [
        ("more", 2.0, 0.1, "holds"), ("more", 0.0, 0.1, "fails"), ("more", -2.0, 0.1, "fails"),
        ("more", 1.0, 2.0, "undecided"), ("less", -2.0, 0.1, "holds"), ("less", 2.0, 0.1, "fails"),
        ("no loss", 5.0, 0.1, "holds"), ("no loss", 0.0, 0.1, "holds"), ("no loss", -3.0, 0.1, "fails"),
        ("no loss", -1.0, 0.5, "undecided"), ("equal", 0.0, 0.1, "holds"), ("equal", 3.0, 0.1, "fails"),
        ("equal", -3.0, 0.1, "fails"), ("equal", 0.0, 2.0, "undecided"),
    ],
)  # fmt: skip
def test_the_rule_of_each_kind_of_claim(kind: str, value: float, error: float, verdict: str) -> None:
    claim: Claim = replace(CLAIMS[0], kind=kind, margin=1.0)  # type: ignore[arg-type]
    found = Estimate(value / 100, error / 100, 3, 4, 8)
    assert judge(claim, found)[0] == verdict


def test_the_number_of_further_splits_would_decide() -> None:
    claim = replace(CLAIMS[0], kind="more", margin=1.0)
    found = Estimate(0.02, 0.015, 3, 4, 8)
    verdict, more = judge(claim, found)
    assert (verdict, more > 0) == ("undecided", True)
    spread, enough = 0.015 * 2, int(4 + more)
    settled = replace(found, error=spread / enough**0.5, freedom=enough - 1, clusters=enough)
    assert judge(claim, settled) == ("holds", 0)


def test_over_and_under_fitting_are_told_from_training_and_validation_loss() -> None:
    sizes = evidence_of(AS_CLAIMED).sizes
    assert sizes is not None
    tuned, few = sizes["treatment"] == "AnB+", sizes["images_per_class"] == 10
    sizes.loc[tuned, "train_loss"] = 0.1  # lower than the frozen ones' 1.0 everywhere,
    sizes.loc[tuned, "valid_loss"] = np.where(few[tuned], 2.0, 0.5)  # which pays with many images only
    found = diagnose_sizes(sizes)[["images_per_class", "worse", "because"]].drop_duplicates().to_numpy().tolist()
    assert found == [[10, "AnB+", "over-fitting"], [320, "AnB", "under-fitting"]]
    notes = ledger(Evidence(sizes=sizes)).set_index("claim")["note"]
    assert notes["freeze-small"].endswith("(10 images per class: AnB+ suffers from over-fitting)")
    assert notes["finetune-large"].endswith("(320 images per class: AnB suffers from under-fitting)")


def test_evidence_is_read_back_from_a_folder(tmp_path) -> None:  # type: ignore[no-untyped-def]
    networks(AS_CLAIMED, RANDOMS).to_csv(tmp_path / "similar.csv", index=False)
    evidence_of(AS_CLAIMED).epochs.to_csv(tmp_path / "similar-epochs.csv", index=False)  # type: ignore[union-attr]
    evidence = read_evidence(tmp_path)
    assert evidence.dissimilar is None
    found = verdicts(evidence)
    assert (found["dip"], found["converges-faster"], found["distance"]) == ("holds", "holds", "no data")


def test_keys_are_unique_and_each_claim_names_its_series() -> None:
    assert len({claim.key for claim in CLAIMS}) == len(CLAIMS)
    assert {claim.series for claim in CLAIMS} <= {
        "similar",
        "dissimilar",
        "apart",
        "longer",
        "lengths",
        "plateau",
        "sizes",
        "dial",
        "made",
        "made_dial",
        "after",
    }
