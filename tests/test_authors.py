import numpy as np
import pandas as pd
import pytest

from course.evidence.authors import AUTHORS_COLUMNS, authors_table
from course.evidence.statistics import contrast, slope
from transferkit.errors import UsageError
from transferkit.results import summarise
from transferkit.treatments import Treatment, parse_run


@pytest.fixture(scope="module")
def figure2() -> pd.DataFrame:
    return authors_table("figure2")


def rows_of(table: pd.DataFrame, treatment: Treatment, first: int = 1, last: int = 7) -> pd.DataFrame:
    return table[(table["treatment"] == treatment) & table["n"].between(first, last)]


def test_there_are_148_networks_each_in_the_figure_it_belongs_to(figure2: pd.DataFrame) -> None:
    tables = {name: authors_table(name) for name in ("figure3-natural", "figure3-random", "supplement")}
    counts = {"figure2": len(figure2), **{name: len(table) for name, table in tables.items()}}
    assert counts == {"figure2": 112, "figure3-natural": 16, "figure3-random": 8, "supplement": 12}
    for table in (figure2, *tables.values()):
        assert tuple(table.columns) == AUTHORS_COLUMNS
        assert table["paired"].notna().all()
        assert not table.duplicated(["run", "split", "images_per_class"]).any()
    with pytest.raises(UsageError, match=r"'figure9' is no figure .* choose figure2, figure3-natural"):
        authors_table("figure9")  # type: ignore[arg-type]


def test_labels_treatments_and_halves_agree(figure2: pd.DataFrame) -> None:
    for row in pd.concat([figure2, authors_table("figure3-natural")]).to_dict("records"):
        run = parse_run(row["run"], row["split"], row["seed"])
        assert (run.treatment, run.source, run.target, run.n, run.finetune) == tuple(
            row[name] for name in ("treatment", "source", "target", "n", "finetune")
        )


MEANS: dict[Treatment, list[float]] = {
    "BnB": [0.6267, 0.6235, 0.6211, 0.6047, 0.5935, 0.6188, 0.6232],
    "AnB": [0.6282, 0.6238, 0.6189, 0.5998, 0.5780, 0.5806, 0.5425],
    "BnB+": [0.6177, 0.6215, 0.6313, 0.6287, 0.6301, 0.6276, 0.6266],
    "AnB+": [0.6373, 0.6358, 0.6426, 0.6398, 0.6446, 0.6460, 0.6464],
}
PAIRED: dict[Treatment, list[float]] = {
    "BnB": [0.35, 0.03, -0.21, -1.85, -2.97, -0.45, 0.00],
    "AnB": [0.31, -0.12, -0.62, -2.53, -4.71, -4.45, -8.26],
}


@pytest.mark.parametrize("treatment", list(MEANS))
def test_means_by_layer_are_the_published_ones(figure2: pd.DataFrame, treatment: Treatment) -> None:
    summary = summarise(figure2).query("treatment == @treatment")
    assert summary["top1"].tolist() == pytest.approx(MEANS[treatment], abs=6e-5)
    if treatment in PAIRED:
        assert (100 * summary["paired"]).round(2).tolist() == PAIRED[treatment]


def test_the_unpaired_boosts_of_the_papers_table_1(figure2: pd.DataFrame) -> None:
    base = figure2[figure2["treatment"] == "base"]["top1"].mean()
    means = {name: [rows_of(figure2, name, first)["top1"].mean() for first in (1, 3, 5)] for name in ("AnB+", "BnB+")}
    over_base = [100 * (boosted - base) for boosted in means["AnB+"]]
    over_selffer = [100 * (boosted - control) for boosted, control in zip(*means.values(), strict=True)]
    assert np.round(over_base, 2).tolist() == [1.60, 1.80, 2.06]
    assert np.round(over_selffer, 2).tolist() == [1.38, 1.40, 1.73]


@pytest.mark.parametrize(
    ("treatment", "target", "boosts"), [("AnB+", "B", [0.97, 1.17, 1.16]), ("BnB+", "A", [0.97, 1.10, 1.01])]
)
def test_the_boost_shrinks_when_each_network_is_paired_with_its_own_base(
    figure2: pd.DataFrame, treatment: Treatment, target: str, boosts: list[float]
) -> None:
    rows = [rows_of(figure2, treatment, first) for first in (1, 3, 5)]
    assert set(rows[0]["target"]) == {target}  # which half and which treatment are confounded
    assert [round(100 * part["paired"].mean(), 2) for part in rows] == boosts


def test_transfer_minus_selffer_on_the_same_target(figure2: pd.DataFrame) -> None:
    found = [contrast(figure2[figure2["n"].isin([0, n])], "AnB", "BnB") for n in range(1, 8)]
    values = [100 * estimate.value for estimate in found if estimate]
    assert np.round(values, 2).tolist() == [0.15, -0.01, -0.14, -0.62, -1.68, -3.90, -8.24]
    assert {estimate.clusters for estimate in found if estimate} == {4}


def test_the_supplement_is_paired_with_as_many_images_and_random_filters_with_all_classes() -> None:
    supplement = authors_table("supplement")
    assert supplement["images_per_class"].tolist() == [1, 2, 5, 10, 25, 50, 100, 250, 500, 750, 1000, 1300]
    assert (supplement["paired"] == 0).all()
    random = authors_table("figure3-random").set_index("n")
    assert random["paired"][1] == pytest.approx(0.491662 - 0.576305)


def test_the_specificity_curve_falls(figure2: pd.DataFrame) -> None:
    found = slope(rows_of(figure2, "AnB"))
    assert found is not None
    assert found.interval()[1] < 0
    assert np.isfinite(found.error)
