"""Which tables may be evidence together, and what first layers and longer training are measured on."""

import io
from pathlib import Path

import pandas as pd
import pytest

from course.evidence.claims import Evidence, authors_evidence, read_evidence
from course.evidence.claims.measures import (
    alike,
    data_differ,
    halves_differ,
    kinds_apart,
    longer_against_finetuned,
    of_papers_kinds,
)
from course.evidence.collect import CONV1_COLUMNS
from course.evidence.statistics import jackknife
from tests.figure_tables import grids
from transferkit.errors import DataError
from transferkit.results import estimate, pair

RANDOMS, DIALS = ("random0", "random1", "random2"), ("overlap-0", "overlap-1")
SIMILAR = grids(RANDOMS).assign(data="photos", epochs=6)
LONGER = pair(SIMILAR[SIMILAR["treatment"] == "base"].assign(epochs=12))


def first_layers(data: str, splits: tuple[str, ...], gabor: float) -> pd.DataFrame:
    measured = (gabor, 0.1, 0.1, 0.0, 0.8 - gabor, 0.8, 0.1, 0.6, 0.7, 0.4, 0.5, 0.6)
    rows = [(data, split, 0, target, *measured) for split in splits for target in "AB"]
    return pd.DataFrame(rows, columns=list(CONV1_COLUMNS))


PHOTOS, SHAPES = first_layers("photos", RANDOMS, 0.5), first_layers("shapeworld", DIALS, 0.3)
ELSEWHERE = {
    "longer": LONGER.assign(data="tiles"),
    "sizes": SIMILAR.assign(data="tiles", images_per_class=10),
    "plateau": SIMILAR.assign(data="tiles"),
    "epochs": SIMILAR.assign(data="tiles", epoch=1),
    "conv1": PHOTOS.assign(data="tiles"),
}


@pytest.mark.parametrize("name", list(ELSEWHERE))
def test_series_of_different_data_sets_are_not_evidence_together(name: str) -> None:
    with pytest.raises(DataError, match=rf"the data sets photos \(similar\) and tiles \({name}\), .*--out"):
        Evidence(similar=SIMILAR, **{name: ELSEWHERE[name]})
    Evidence(similar=SIMILAR.assign(data="tiles"), **{name: ELSEWHERE[name]})


def test_series_of_different_networks_are_not_evidence_together() -> None:
    with pytest.raises(DataError, match=r"the layers conv1 .* fc8 \(similar\) and stem fc \(longer\), .*--out"):
        Evidence(similar=SIMILAR, longer=LONGER.assign(layers="stem fc"))
    Evidence(similar=SIMILAR.assign(layers="stem fc"), longer=LONGER.assign(layers="stem fc"))


def test_the_dial_is_of_another_data_set_and_tables_without_that_column_say_nothing_of_it() -> None:
    dial = grids(DIALS).assign(data="shapeworld")
    Evidence(similar=SIMILAR, dial=dial, conv1=pd.concat([PHOTOS, SHAPES]))
    Evidence(similar=SIMILAR, dissimilar=grids(["natural"]))


def test_a_folder_in_which_a_series_has_other_data_is_refused(tmp_path: Path) -> None:
    SIMILAR.to_csv(tmp_path / "similar.csv", index=False)
    LONGER.assign(data="tiles").to_csv(tmp_path / "longer.csv", index=False)
    with pytest.raises(DataError, match="mixes the data sets"):
        read_evidence(tmp_path)


def test_the_kept_tables_and_the_authors_are_evidence() -> None:
    kept = read_evidence(Path(__file__).parents[1] / "course" / "results" / "evidence")
    assert kept.conv1 is not None
    assert set(kept.conv1["data"]) == {"photos", "shapeworld"}
    assert authors_evidence().similar is not None


def test_first_layers_of_the_dial_answer_for_nothing_but_another_data_set() -> None:
    both = pd.concat([SHAPES, PHOTOS])  # in whatever order they were written
    for measure in (halves_differ, alike):
        assert measure(SHAPES) is None
        assert measure(both) == measure(PHOTOS) is not None
    assert data_differ(PHOTOS) is None
    assert data_differ(SHAPES) is None
    found = data_differ(both)
    assert found is not None
    assert found.value == pytest.approx(0.5 - 0.3)


def test_kinds_that_make_up_for_each_other_in_a_sum_do_not_cancel() -> None:
    """As on photos and shapeworld: as many filters are Gabors or blobs, but not the same of the two."""
    other = SHAPES.assign(**{"gabor": 0.1, "colour blob": 0.5, "neither": 0.3})
    assert (other["gabor"] + other["colour blob"]).iloc[0] == pytest.approx(
        (PHOTOS["gabor"] + PHOTOS["colour blob"]).iloc[0]
    )
    found = data_differ(pd.concat([PHOTOS, other]))
    assert found is not None
    assert found.value == pytest.approx(0.4)
    assert kinds_apart(PHOTOS, PHOTOS) == 0
    assert kinds_apart(PHOTOS, other) == kinds_apart(other, PHOTOS)


def test_the_jackknife_of_a_mean_is_the_error_of_the_mean() -> None:
    table = pd.DataFrame({"split": ["random0", "random1", "random2", "random3"], "seed": 0, "x": [1.0, 2.0, 4.0, 9.0]})
    found = jackknife(table, lambda rows: float(rows["x"].mean()))
    usual = estimate(table, "x")
    assert found is not None
    assert usual is not None
    assert (found.value, found.error) == pytest.approx((usual.value, usual.error))
    assert (found.freedom, found.clusters) == (usual.freedom, usual.clusters) == (3, 4)
    assert jackknife(table[:1], lambda rows: 0.0) is None


def test_likeness_is_judged_against_the_control_that_is_most_alike() -> None:
    found = alike(PHOTOS)
    assert found is not None
    assert found.value == pytest.approx(0.7 - 0.6)
    found = of_papers_kinds(PHOTOS)
    assert found is not None
    assert found.value == pytest.approx(0.5 + 0.1 + 0.1 - 0.1)


def test_a_table_without_first_layers_answers_nothing() -> None:
    header = pd.read_csv(io.StringIO(",".join(CONV1_COLUMNS) + "\n"))
    assert halves_differ(header) is alike(header) is data_differ(header) is None
    Evidence(similar=SIMILAR, conv1=header)


def test_longer_training_counts_all_networks_that_it_is_compared_with() -> None:
    found = longer_against_finetuned(Evidence(similar=SIMILAR, longer=LONGER[LONGER["split"] != "random2"]))
    assert found is not None
    tuned = (SIMILAR["treatment"] == "AnB+") & (SIMILAR["split"] != "random2")
    assert found.networks == 2 * 2 + tuned.sum() == 4 + 28
