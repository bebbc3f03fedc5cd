"""What the microscope's page is given. What the page makes of it is tested in a browser (`tests/browser`)."""

import dataclasses
import json
import re
from base64 import b64decode

import numpy as np
import pytest

from course.looking import microscope
from course.looking.gabor_microscope import MOST_EPOCHS
from transferkit.errors import UsageError
from transferkit.gabor import Gabor, fit_filters
from transferkit.gabor.tiles import filter_tiles, order_filters

GREY = 3**-0.5


def history(epochs: int = 3) -> dict[int, np.ndarray]:
    """Six upright to slanting Gabors of 9 x 9 that grow out of noise, and a red blob."""
    noise = np.random.default_rng(0).normal(0, 0.005, (7, 3, 9, 9))
    waves = [Gabor(0, 0, 25 * n, 5, 90, 2, 1, GREY, GREY, GREY, 0.1).draw(9) for n in range(6)]
    planted = np.stack([*waves, Gabor(0, 0, 0, 60, 0, 2, 1, 1, 0, 0, 0.1).draw(9)])
    return {epoch: (noise + epoch / (epochs - 1) * planted).astype(np.float32) for epoch in range(epochs)}


def test_the_page_holds_every_weight_to_a_thirty_thousandth_of_its_filters_largest() -> None:
    film, data = history(), microscope(history()).data
    held = np.frombuffer(b64decode(data["weights"]), "<i2").reshape(3, 7, 3, 9, 9)
    scales = np.array(data["scales"])
    assert scales == pytest.approx(np.max([np.abs(weights).max(axis=(1, 2, 3)) for weights in film.values()], axis=0))
    for epoch, weights in film.items():
        assert np.abs(held[epoch] / 32767 - weights / scales[:, None, None, None]).max() <= 0.51 / 32767


def test_fits_kinds_and_order_are_those_of_the_last_epoch() -> None:
    last, data = history()[2], microscope(history(), "conv1").data
    fits = fit_filters(last)
    assert data["kinds"] == [fit.kind for fit in fits]
    assert data["fits"] == [dataclasses.astuple(fit.gabor) for fit in fits]
    assert data["order"] == order_filters(filter_tiles(last)).tolist()
    assert (data["side"], data["epochs"], data["title"]) == (9, [0, 1, 2], "conv1")


def test_it_opens_on_the_best_gabor_though_a_blob_is_explained_better() -> None:
    filters = history()[2].copy()
    filters[6] = Gabor(0, 0, 0, 60, 0, 2, 1, 1, 0, 0, 0.1).draw(9)  # without noise
    fits = fit_filters(filters)
    assert max(fits, key=lambda fit: fit.r2) is fits[6]
    assert microscope({0: filters}).data["start"] == int(np.argmax([fit.r2 for fit in fits[:6]]))


def test_of_many_epochs_the_first_the_last_and_more_early_ones_are_shown() -> None:
    shown = microscope(history(40)).data["epochs"]
    assert len(shown) <= MOST_EPOCHS
    assert (shown[0], shown[-1]) == (0, 39)
    assert sum(epoch < 20 for epoch in shown) > len(shown) / 2
    assert microscope(history(MOST_EPOCHS)).data["epochs"] == list(range(MOST_EPOCHS))


def test_its_html_stands_alone_and_a_title_cannot_end_the_script() -> None:
    shown = microscope(history(), "</script><b>&")
    html = shown._repr_html_()
    assert html.count("</script>") == 1
    assert not re.search(r"(src|href)=|https?://|import[ (]", html)
    held = re.search(r"show\(place, (\{.*\})\);\n", html)
    assert held
    assert json.loads(held[1])["title"] == "</script><b>&"
    assert html == microscope(history(), "</script><b>&")._repr_html_()
    assert "over 7 filters" in repr(shown)


def test_filters_of_zeros_can_be_looked_at_and_what_is_no_film_is_refused() -> None:
    assert microscope({0: np.zeros((2, 3, 9, 9), np.float32)}).data["kinds"] == ["neither", "neither"]
    with pytest.raises(UsageError, match="one epoch or more"):
        microscope({})
    with pytest.raises(UsageError, match="one shape"):
        microscope({0: np.ones((2, 3, 9, 9)), 1: np.ones((3, 3, 9, 9))})
    with pytest.raises(UsageError, match="too many numbers for so few pixels"):
        microscope({0: np.ones((2, 3, 3, 3))})
