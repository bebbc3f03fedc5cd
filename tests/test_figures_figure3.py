import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from course.evidence.authors import authors_table
from tests.figure_tables import CLASSES, both_splits, grids, lines_called, shift, stuck
from transferkit import figures
from transferkit.errors import UsageError


def draw() -> Figure:
    return figures.figure3(stuck(both_splits()), "photos", classes=CLASSES).figure


def test_figure_3_tells_both_targets_apart_by_line_and_marker() -> None:
    left = draw().axes[0]
    means = [line for line in left.lines if line.get_gid() == "means"]
    assert [line.get_label() for line in means] == ["target natural", "target man-made"]
    assert means[0].get_linestyle() != means[1].get_linestyle()
    assert means[0].get_markerfacecolor() != means[1].get_markerfacecolor()


def test_figure_3_lets_random_filters_leave_the_axis_and_says_so() -> None:
    below = draw().axes[2]
    ((_, random),) = lines_called(below, "RnB, random filters")
    assert np.nanmin(random) < below.get_ylim()[0] < -11.2
    assert " random, below" in [text.get_text() for text in below.texts]
    ((_, similar),) = lines_called(below, "AnB, similar halves")
    assert similar == pytest.approx([-1.6 * n for n in range(8)])


def test_figure_3_lays_the_authors_three_parts_underneath() -> None:
    parts = [authors_table("figure2"), authors_table("figure3-natural"), authors_table("figure3-random")]
    authors = pd.concat(parts, ignore_index=True)
    picture = figures.figure3(both_splits(), "photos", authors=authors)
    below = picture.figure.axes[2]
    ((_, far),) = lines_called(below, "authors AnB, dissimilar halves")
    assert far[7] == pytest.approx(100 * parts[1].query("n == 7")["paired"].mean())
    assert "published networks on ImageNet (AnB, similar halves: 8 networks per point; AnB, dissim" in picture.alt
    assert "published networks" not in figures.figure3(both_splits(), "photos").alt
    theirs = figures.figure3(authors, "ImageNet", classes=1000)
    theirs.figure.draw_without_rendering()
    assert "Training losses are not known here" in theirs.alt


def test_figure_3_has_a_line_of_its_own_for_halves_that_share_no_photograph() -> None:
    table = pd.concat([both_splits(), shift(grids(["apart0", "apart1"]), "AnB", {7: -20.0})], ignore_index=True)
    picture = figures.figure3(table, "photos")
    figure = picture.figure
    below = figure.axes[2]
    ((_, apart),) = lines_called(below, "AnB, same kinds but no common photograph")
    ((_, similar),) = lines_called(below, "AnB, similar halves")
    usual = lines_called(figures.figure3(both_splits(), "photos").figure.axes[2], "AnB, similar halves")
    assert apart[7] == pytest.approx(-20)
    assert np.array_equal(similar, usual[0][1]), "they are not counted among the similar ones"
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    assert legend.x1 <= figure.bbox.x1, "the names of all four lines are on the page"
    assert "AnB, same kinds but no common photograph" in picture.alt


def test_figure_3_can_be_drawn_from_a_part_of_it() -> None:
    for table in (grids(["random0"]), grids(["natural"])):
        figures.figure3(table, "photos").figure.draw_without_rendering()
    with pytest.raises(UsageError, match="no network of AnB or RnB"):
        figures.figure3(both_splits().query("treatment == 'base'"), "photos")
