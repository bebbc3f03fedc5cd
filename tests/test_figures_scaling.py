"""Random filters drawn in two ways: every network can be told from the others, even where all failed alike."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from course import figures as course_figures
from transferkit.figures import on_plateau

KEPT = Path(__file__).parents[1] / "course" / "results" / "evidence" / "plateau.csv"


def lines_called(ax: Axes, ending: str) -> list[tuple[Line2D, np.ndarray]]:
    """Lines with any points, and these."""
    found = [line for line in ax.get_lines() if str(line.get_gid()).endswith(ending)]
    return [(line, points) for line in found if len(points := np.asarray(line.get_xydata()))]


def test_crossed_out_networks_stand_apart_and_are_drawn_once() -> None:
    table = pd.read_csv(KEPT)
    random = table[table["treatment"] == "RnB"]
    stuck = int(on_plateau(random, 40).sum())
    assert stuck > 20
    figure = course_figures.scaling(table, "photos", classes=40).figure
    figure.canvas.draw()
    for ax in figure.axes:
        crossed = lines_called(ax, "plateau")
        assert sum(len(points) for _, points in crossed) == stuck
        for line, points in crossed:
            places = np.sort(ax.transData.transform(points)[:, 0]) * 72 / figure.dpi
            assert np.diff(places).min() > line.get_markersize() + line.get_markeredgewidth()
        assert sum(len(points) for _, points in lines_called(ax, " networks")) == len(random) - stuck
