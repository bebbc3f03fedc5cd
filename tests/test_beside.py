"""Units of two networks side by side: which are shown, on whose images, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

import course
from course.looking.activations import BEST
from course.looking.beside import liveliest
from transferkit.config import get_preset
from transferkit.disk.store import Store
from transferkit.errors import UsageError
from transferkit.training.data import open_prepared
from transferkit.training.experiment import perform
from transferkit.training.study import Study, plan_study
from transferkit.treatments import parse_run

LAYERS = ["conv2", "fc7"]


@pytest.fixture(scope="module")
def trained(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    store = Store(tmp_path_factory.mktemp("beside"))
    found = plan_study(open_prepared(tiny_folder), get_preset("smoke"), "cpu", store, "float32")
    for label in ("baseA", "baseB"):
        perform(found, parse_run(label, "random0", 0))
    return found


def units_of(alt: str, column: str, layer: str) -> list[int]:
    """The units that a picture's text names for a layer of a column, in order."""
    told = re.search(rf"{re.escape(column)}, {layer}: ([^.]*)\.", alt)
    assert told is not None
    return [int(unit) for unit in re.findall(r"unit (\d+)", told[1])]


def classes_in(alt: str, column: str) -> set[str]:
    return set(re.findall(r"of (blotch-\d)", " ".join(re.findall(rf"{re.escape(column)}, \w+: [^.]*\.", alt))))


def test_every_network_is_shown_images_of_its_own_half(trained: Study) -> None:
    picture = course.beside(trained, ["baseA", "baseB"], LAYERS)
    classes = {half: trained.prepared.split("random0").classes(half) for half in ("A", "B")}
    for half, own in classes.items():
        told = classes_in(picture.alt, f"base{half}, images of half {half}")
        assert told
        assert told <= {f"blotch-{label}" for label in own}
    written = [text.get_text() for text in picture.figure.findobj(Text)]
    assert [words for words in written if words in LAYERS] == LAYERS


def test_a_network_on_two_halves_shows_the_same_units_twice(trained: Study) -> None:
    alt = course.beside(trained, ["baseA", ("baseA", "B")], LAYERS, units=3).alt
    columns = [f"baseA, images of half {half}" for half in ("A", "B")]
    for layer in LAYERS:
        first, second = (units_of(alt, column, layer) for column in columns)
        assert first == second
        assert len(first) == 3
    assert classes_in(alt, columns[1]) <= {
        f"blotch-{label}" for label in trained.prepared.split("random0").classes("B")
    }
    alone = course.beside(trained, [("baseA", "B")], LAYERS, units=3).alt
    assert alone.split("Of a unit's")[0].count(columns[1]) == len(LAYERS)


def test_untrained_stands_for_base_a_before_its_training(trained: Study) -> None:
    assert "baseA, untrained, images of half A, fc7: unit" in course.beside(trained, ["untrained"], LAYERS).alt


@settings(max_examples=40)
@given(spreads=st.lists(st.integers(0, 5), min_size=1, max_size=12), count=st.integers(1, 6), data=st.data())
def test_no_favourite_class_comes_twice_before_every_one_has_come_once(
    spreads: list[int], count: int, data: st.DataObject
) -> None:
    kinds = [data.draw(st.sampled_from("abc")) for _ in spreads]
    rows = pd.DataFrame({"unit": range(len(spreads)), "spread": spreads, "kind": kinds})
    chosen = liveliest(rows.loc[np.repeat(rows.index, BEST)], count)
    assert len(set(chosen)) == len(chosen) == min(count, len(spreads))
    first = max(range(len(spreads)), key=lambda unit: (spreads[unit], -unit))
    assert chosen[0] == first
    for kind in set(kinds):
        of_kind = [unit for unit in chosen if kinds[unit] == kind]
        assert [spreads[unit] for unit in of_kind] == sorted((spreads[unit] for unit in of_kind), reverse=True)
    fewest = min(len(set(kinds)), count)
    assert len({kinds[unit] for unit in chosen[:fewest]}) == fewest


@pytest.mark.parametrize(
    ("shown", "layers", "units", "words"),
    [
        ([], LAYERS, 2, "0 columns of 4 rows do not fit on a page: name 1 to 3 networks"),
        (["baseA"] * 4, LAYERS, 2, "4 columns of 4 rows do not fit"),
        (["baseA"], LAYERS, 13, "1 columns of 26 rows do not fit on a page: .* layers of 1 to 24 units in all"),
        (["baseA"], [], 2, "1 columns of 0 rows do not fit"),
        ([("baseA", "C")], LAYERS, 2, "'C' is no half: choose A and B"),
        (["baseA"], ["conv9"], 2, "'conv9' is no layer of small: choose conv1"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    trained: Study, shown: list[str], layers: list[str], units: int, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        course.beside(trained, shown, layers, units)
    assert "\n" not in str(refused.value)
