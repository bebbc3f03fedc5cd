"""How the advice is checked on folders, and how the page tells it."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks.curve_advice import advices, mislabelled
from course.book.advice import rows
from course.practice.options import Answers, Option, heads_of
from transferkit.specs import small_net

LAYERS = small_net().layers
OPTIONS = (
    *heads_of("P", LAYERS), *heads_of("R", LAYERS), Option("P7T+", "fine-tuned", "P", 7, "fc7"),
    Option("baseT", "scratch", "", 0, ""),
)  # fmt: skip


def test_an_advice_is_measured_on_the_half_that_did_not_give_it() -> None:
    generator = np.random.default_rng(0)
    correct = (generator.random((len(OPTIONS), 400)) < 0.3).astype(float)
    correct[2] = generator.random(400) < 0.9
    found = [*advices(Answers(OPTIONS, correct, np.arange(400), len(LAYERS), 3, 3), seed=4)]
    assert [row["half"] for row in found] == [0, 1]
    assert {row["advice"] for row in found} == {"P3 head"}
    assert np.mean([row["top1"] for row in found]) == pytest.approx(100 * correct[2].mean())
    assert all(float(row["training from scratch"]) > 40 for row in found)


def test_a_share_of_the_labels_moves_on_and_no_picture_is_lost() -> None:
    classes = {name: [Image.new("RGB", (1, 1), (number, 0, 0)) for number in range(10)] for name in "abc"}
    moved = mislabelled(classes)
    assert {name: len(pictures) for name, pictures in moved.items()} == {"a": 10, "b": 10, "c": 10}
    assert [id(it) for it in moved["b"][-2:]] == [id(it) for it in classes["a"][:2]]
    before, after = ({id(it) for pictures in named.values() for it in pictures} for named in (classes, moved))
    assert before == after


def test_the_page_counts_how_often_an_advice_is_at_least_as_good() -> None:
    table = pd.DataFrame({
        "folder": ["few"] * 4, "given": ["shapes"] * 4, "pictures": [280] * 4, "seed": [0, 0, 1, 1],
        "kind": ["head", "head", "scratch", "head"], "top1": [80.0, 82, 79, 81], "best": [82.0, 82, 82, 82],
        "training from scratch": [1.0, 0.0, -1.0, 2.0], "freezing all layers": [5.0] * 4,
        "fine-tuning all layers": [float("nan")] * 3 + [1.0],
    })  # fmt: skip
    told = rows(table)
    (row,) = [line for line in told.splitlines() if line.startswith("| few")]
    assert row.startswith("| few, 280 | shapes | 4 | 75%, +0.5")
    assert "| 100%, +5.0 ±0.0 |" in row
    assert "a head on frozen features 3 times" in told
