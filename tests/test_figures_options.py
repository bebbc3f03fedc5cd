"""The options for a new task: what is drawn is what the advice says."""

import numpy as np
import pytest

from course.evidence.advice import advise, options_of
from course.figures import options
from tests.figure_tables import grids
from transferkit.errors import DataError

TABLE = grids(("random0", "random1", "random2"))


def test_every_option_stands_at_its_mean_and_the_best_is_ringed() -> None:
    ax = options(TABLE, "planted").figure.axes[0]
    means = 100 * options_of(TABLE).mean()
    drawn = {round(float(y), 6) for line in ax.lines for y in np.atleast_1d(np.asarray(line.get_ydata()))}
    assert {round(float(mean), 6) for mean in means} <= drawn
    ring = next(line for line in ax.lines if line.get_markersize() == 15)
    assert np.asarray(ring.get_ydata())[0] == pytest.approx(100 * advise(TABLE).gain)


def test_the_alternative_text_holds_the_advice() -> None:
    picture = options(TABLE, "planted")
    alt = picture.alt
    assert alt.startswith("Mean gain of every option over training from scratch, in points, from best to worst: A7B+ +")
    assert "Best mean: n = 7, fine-tuned" in alt
    assert "95 % interval" in alt
    assert picture.png() == options(TABLE, "planted").png()


def test_one_seed_is_refused() -> None:
    with pytest.raises(DataError, match="train a second seed"):
        options(grids(("random0",)), "planted")
