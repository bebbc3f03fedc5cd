"""Series done one at a time leave in one folder what all together would."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from course.book.tables import provenance_sentence
from course.evidence.collect import (
    CONV1_COLUMNS,
    refuse_mixing,
    write_conv1,
    write_provenance,
    write_series,
    write_shortcuts,
)
from course.evidence.sweeps import SeriesStep
from transferkit.errors import DataError
from transferkit.training.experiment import perform
from transferkit.training.study import Study
from transferkit.treatments import parse_run

BASES = tuple(parse_run(label, "random0", 0) for label in ("baseA", "baseB"))


@pytest.fixture
def step(study: Study) -> SeriesStep:
    """The bases of random0, trained."""
    for base in BASES:
        perform(study, base)
    return SeriesStep(study, BASES)


def conv1_of(*places: tuple[str, str, str]) -> pd.DataFrame:
    """Rows of other bases: data set, split and target."""
    measured = (0.1, 0.1, 0.1, 0.0, 0.7, 0.8, 0.1, 0.6, 1 / 3, 0.1, 0.2, 0.3)
    rows = [(data, split, 0, target, *measured) for data, split, target in places]
    return pd.DataFrame(rows, columns=list(CONV1_COLUMNS))


def test_first_layers_of_other_series_stay_and_the_dials_come_last(step: SeriesStep, tmp_path: Path) -> None:
    earlier = conv1_of(("dials", "overlap-1", "A"), ("tiny", "random0", "A"), ("tiny", "natural", "B"))
    earlier.to_csv(tmp_path / "conv1.csv", index=False)
    write_conv1([step], tmp_path)
    found = pd.read_csv(tmp_path / "conv1.csv")
    places = [tuple(row) for row in found[["data", "split", "target"]].to_numpy()]
    assert places == [
        ("tiny", "natural", "B"), ("tiny", "random0", "A"), ("tiny", "random0", "B"), ("dials", "overlap-1", "A")
    ]  # fmt: skip
    assert found["likeness"].tolist()[::3] == pytest.approx([1 / 3, 1 / 3])
    assert found["likeness"].tolist()[1] != pytest.approx(1 / 3)  # written anew
    before = (tmp_path / "conv1.csv").read_bytes()
    write_conv1([step], tmp_path)
    assert (tmp_path / "conv1.csv").read_bytes() == before


def test_series_of_another_data_set_take_the_place_of_those_there_were_but_not_of_the_dial(
    step: SeriesStep, tmp_path: Path
) -> None:
    conv1_of(("dials", "overlap-1", "A"), ("photos", "random4", "A")).to_csv(tmp_path / "conv1.csv", index=False)
    write_conv1([step], tmp_path)
    assert pd.read_csv(tmp_path / "conv1.csv")["data"].tolist() == ["tiny", "tiny", "dials"]


def test_steps_without_a_base_leave_the_first_layers_alone(step: SeriesStep, tmp_path: Path) -> None:
    empty = replace(step, runs=())
    assert write_conv1([empty], tmp_path) is None
    assert write_shortcuts([empty], tmp_path) is None
    assert not list(tmp_path.glob("*.csv"))
    conv1_of(("tiny", "natural", "B")).to_csv(tmp_path / "conv1.csv", index=False)
    write_conv1([empty], tmp_path)
    assert len(pd.read_csv(tmp_path / "conv1.csv")) == 1


def test_shortcuts_stand_beside_the_base_and_those_of_other_data_stay(step: SeriesStep, tmp_path: Path) -> None:
    columns = ["data", "split", "target", "method", "top1"]
    earlier = pd.DataFrame([("dials", "overlap-1", "A", "base", 0.5), ("tiny", "random9", "A", "base", 0.1)])
    earlier.set_axis(columns, axis=1).to_csv(tmp_path / "shortcuts.csv", index=False)
    write_shortcuts([step], tmp_path)
    found = pd.read_csv(tmp_path / "shortcuts.csv")
    assert list(found.columns) == columns
    assert set(found["split"]) == {"overlap-1", "random0"}
    own = found[found["data"] == "tiny"]
    assert own.groupby("target").size().tolist() == [6, 6]
    receipt = step.study.store.find(BASES[0], step.study.setting)
    assert receipt
    base = own[(own["method"] == "base") & (own["target"] == BASES[0].target)]
    assert base["top1"].tolist() == pytest.approx([receipt.final.top1])


def test_provenance_is_told_by_series_and_counts_each_network_of_the_folder_once(
    step: SeriesStep, tmp_path: Path
) -> None:
    for name, runs in (("similar", BASES), ("longer", BASES[:1])):
        done = {name: [SeriesStep(step.study, runs)]}
        write_series(name, done[name], tmp_path)
        write_provenance(done, tmp_path)
    rows = pd.read_csv(tmp_path / "provenance.csv")
    assert rows.columns.tolist() == ["key", "value", "study"]
    assert rows["study"].drop_duplicates().tolist() == ["all", "similar", "longer"]
    assert rows.loc[rows["key"] == "networks", "value"].tolist() == ["2"]
    assert rows.loc[rows["key"] == "torch version", "study"].tolist() == ["similar", "longer"]
    assert provenance_sentence(rows).startswith(f"2 networks, {step.study.setting.precision}, on ")
    write_provenance({"longer": [step]}, tmp_path)
    assert pd.read_csv(tmp_path / "provenance.csv").groupby("study")["value"].count().to_dict() == (
        rows.groupby("study")["value"].count().to_dict() | {"longer": len(rows[rows["study"] == "similar"])}
    )


def test_provenance_spans_the_series_from_the_first_network_to_the_last() -> None:
    cells = [("networks", "1200", "all"), ("precision", "float32", "similar"), ("precision", "float32", "dial")]
    cells += [("device", "one", "similar"), ("device", "two", "dial")]
    cells += [(f"{name} version", "3.1", study) for name in ("torch", "python") for study in ("similar", "dial")]
    cells += [("first", "2026-11-23T22:07:39", "similar"), ("last", "2026-11-23T22:13:22", "similar")]
    cells += [("first", "2026-11-23T21:00:00", "dial"), ("last", "2026-11-23T21:30:00", "dial")]
    assert provenance_sentence(pd.DataFrame(cells, columns=["key", "value", "study"])) == (
        "1,200 networks, float32, on one and two; torch 3.1, Python 3.1; trained from 21:00 to 22:13 UTC on 2026-11-23."
    )


def test_a_folder_of_other_data_or_layers_is_refused_before_it_is_written_to(step: SeriesStep, tmp_path: Path) -> None:
    write_series("similar", [step], tmp_path)
    kept = pd.read_csv(tmp_path / "similar.csv")
    for column, value in (("data", "photos"), ("layers", "stem fc")):
        kept.assign(**{column: value}).to_csv(tmp_path / "similar.csv", index=False)
        with pytest.raises(DataError, match=rf"mixes the .* {value} \(similar\) and .* \(longer\)"):
            refuse_mixing({"longer": [step]}, tmp_path)
        refuse_mixing({"similar": [step], "longer": [step]}, tmp_path)
    kept.to_csv(tmp_path / "similar.csv", index=False)
    refuse_mixing({"longer": [step]}, tmp_path)
