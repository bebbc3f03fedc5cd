"""The kept table of measures: made from trained bases, joined with what training found, judged, shown on the page."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from course.evidence.claims import Evidence, read_evidence
from course.evidence.collect import kept_evidence
from course.evidence.sweeps import SeriesStep
from course.measures.expect import learned_cells
from course.measures.kept import OF_LENGTHS, SERIES, measured, read_cells, with_truth, write_measures
from course.measures.names import BEST, KEYS, MEASURES, SELFFER
from course.measures.page import NAMES, length_rows, tuned_sentence, verdict_rows
from course.measures.verdicts import FILE, judge
from tests.measures.made_cells import made_cells
from transferkit.config import get_preset
from transferkit.disk.store import Store
from transferkit.errors import DataError
from transferkit.training.data import open_prepared
from transferkit.training.experiment import perform
from transferkit.training.study import plan_study
from transferkit.treatments import HALVES, Run, plan

FOLDER = kept_evidence() or Path()


@pytest.fixture(scope="module")
def kept() -> pd.DataFrame:
    return read_cells(FOLDER, read_evidence(FOLDER))


def trained_table(cells: pd.DataFrame, treatment: str, paired: pd.Series, **columns: object) -> pd.DataFrame:
    """What the evidence keeps of networks of these cells."""
    setting: dict[str, Any] = {"treatment": treatment, "paired": paired, "images_per_class": 160}
    return cells[list(KEYS)].assign(**setting | columns)


def test_every_cell_gets_the_difference_of_its_own_network_and_those_on_few_images_are_left_out() -> None:
    cells = made_cells(0)
    measures, found = cells.drop(columns="AnB"), cells["AnB"]
    tables = [
        trained_table(cells, "AnB", found),
        trained_table(cells, "BnB", found + 0.5),
        trained_table(cells, "AnB", found - 9, images_per_class=10, epochs=128),
    ]
    joined = with_truth(measures.sample(frac=1, random_state=0), {"similar": pd.concat(tables), "dial": None})
    aligned = joined.merge(cells, on=list(KEYS), suffixes=("", "_known"))
    assert len(aligned) == len(cells)
    assert np.allclose(aligned["AnB"], aligned["AnB_known"])
    assert np.allclose(joined["AnB - BnB"], -0.5)
    assert set(joined["series"]) == {"similar"}


def test_the_same_cell_of_two_series_is_that_of_the_first() -> None:
    cells = made_cells(1)
    table = trained_table(cells, "AnB", cells["AnB"])
    joined = with_truth(cells.drop(columns="AnB"), {"similar": table[:40], OF_LENGTHS: table})
    assert len(joined) == len(cells)
    assert (joined["series"] == "similar").sum() == 40
    assert len(learned_cells(joined)) == 40


def test_bases_are_measured_once_at_the_n_of_their_transfers(tiny_folder: Path, tmp_path: Path) -> None:
    study = plan_study(open_prepared(tiny_folder), get_preset("smoke"), "cpu", Store(tmp_path), "float32")
    for half in HALVES:
        perform(study, Run("random0", 0, half))
    similar = SeriesStep(study, plan("random0", [0], ["A3B", "A5A", "B5A", "B6A+", "B2B"]))
    lengths = SeriesStep(study, plan("random0", [0], ["A3B", "A7B"]))
    (table,) = measured({"similar": [similar], "apart": [similar]})
    assert table["n"].tolist() == [3, 5, 3, 5]
    assert set(table.columns) >= set(MEASURES)
    (short,) = measured({OF_LENGTHS: [lengths]})
    assert set(short.columns) - {*KEYS, "top1"} == {BEST, f"{BEST}{SELFFER}"}
    write_measures([short, table], tmp_path)
    assert len(pd.read_csv(tmp_path / "measures.csv")) == len(table) + len(short)


def test_without_the_file_the_command_that_makes_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="course.measures"):
        read_cells(tmp_path, Evidence())


def test_every_frozen_transfer_of_the_kept_evidence_is_measured(kept: pd.DataFrame) -> None:
    evidence = read_evidence(FOLDER)
    tables = [table for name in SERIES if (table := getattr(evidence, name)) is not None]
    trained = pd.concat(tables)
    trained = trained[trained["treatment"] == "AnB"].drop_duplicates(list(KEYS))
    assert len(kept) == len(trained)
    assert kept["AnB"].notna().all()
    assert kept[BEST].notna().all()
    assert learned_cells(kept)[list(MEASURES)].notna().all(axis=None)


def test_the_kept_measures_are_of_the_kept_bases(kept: pd.DataFrame) -> None:
    evidence = read_evidence(FOLDER)
    tables = [table for name in SERIES if (table := getattr(evidence, name)) is not None]
    bases = pd.concat(tables)
    bases = bases[(bases["treatment"] == "base")].drop_duplicates([*KEYS])
    both = kept.merge(bases.drop(columns="n"), on=[key for key in KEYS if key != "n"], suffixes=("", "_kept"))
    assert len(both) == len(kept)
    assert np.allclose(both["top1"], both["top1_kept"], atol=1e-3)


def test_the_kept_verdicts_are_those_of_the_kept_measures(kept: pd.DataFrame) -> None:
    few = kept.drop(columns=[name for name in kept if str(name).removesuffix(SELFFER) in set(MEASURES) - {BEST, "cka"}])
    again = judge(few, ("n", BEST)).round(4)
    known = pd.read_csv(FOLDER / FILE).merge(again[["truth", "measure", "selffer", "question"]])
    pd.testing.assert_frame_equal(known, again, check_dtype=False, atol=2e-3)


def verdict(question: str, value: float, **other: object) -> dict[str, object]:
    usual = {"truth": "AnB", "measure": BEST, "selffer": True, "splits": 4, "cells": 40}
    return usual | {"question": question, "value": value, "low": value - 0.5, "high": value + 0.5} | other


def test_lengths_stand_in_order_each_with_error_and_bias_and_without_any_there_is_no_table() -> None:
    rows = [verdict(f"{what}, {n} epochs", n / sign) for n, sign in ((3, 1), (64, -1)) for what in ("error", "bias")]
    lines = length_rows(pd.DataFrame(rows)).splitlines()
    assert lines[2] == "| bases trained for | 3 epochs | 64 epochs |"
    assert lines[5].endswith("| 3.0 (2.5 to 3.5) | -64.0 (-64.5 to -63.5) |")
    assert length_rows(pd.DataFrame([verdict("over n", 1.0)])) == ""


def test_what_is_said_of_fine_tuned_networks_is_about_them() -> None:
    rows = [
        verdict(question, 0.1, truth=truth)
        for truth in ("AnB", "AnB+")
        for question in ("over n", "at fixed n, photos")
    ]
    said = tuned_sentence(pd.DataFrame([row | {"value": 0.9} if row["truth"] == "AnB" else row for row in rows]))
    assert "tau +0.10 (-0.40 to +0.60) over n" in said
    assert "40 cells" in said


def test_the_page_has_a_row_for_each_measure_alone_and_less_its_selffer() -> None:
    judged = pd.read_csv(FOLDER / FILE)
    rows = verdict_rows(judged).splitlines()
    assert len(rows) == 2 + 1 + 2 * len(MEASURES) - 1  # n itself once, CKA once
    assert {line.count("|") for line in rows} == {rows[0].count("|")}
    for words in NAMES.values():
        assert sum(words in line for line in rows) >= 1
