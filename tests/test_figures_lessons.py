"""Pictures of a prediction, of a training and of layers: what is drawn, and the same in words."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from course.figures import growing, prediction, separation, training
from course.figures.growing import KEPT
from course.figures.labelled import LabelledPicture, Point
from course.lesson.prediction import Prediction, Question, naive
from tests.figure_tables import grids
from transferkit.disk.checkpoints import EpochLog
from transferkit.errors import UsageError

ASKED = Question("asked", "What do you expect?", ("n=1", "n=2", "n=3"))
SAID = Prediction(ASKED, (0, -5, -12), "2026-11-23T23:11:00+00:00")
CAME = (2.0, -1.0, -20.0)
TILES = np.random.default_rng(0).random((6, 9, 9, 3)).astype(np.float32)
LOG = tuple(EpochLog(n, 3 / n, 0.01, 2 / n, 0.2 * n) for n in (1, 2, 3))


def lines(figure: Figure) -> dict[str, list[float]]:
    drawn = [line for ax in figure.axes for line in ax.lines if line.get_gid()]
    return {str(line.get_gid()): np.asarray(line.get_ydata(), dtype=float).tolist() for line in drawn}


def looks(figure: Figure) -> list[tuple[object, object]]:
    drawn = [line for ax in figure.axes for line in ax.lines if line.get_gid()]
    return [(line.get_marker(), line.get_linestyle()) for line in drawn]


def test_a_prediction_lies_over_the_result_told_apart_without_colour() -> None:
    figure = prediction(SAID, CAME).figure
    assert lines(figure) == {"prediction": [0, -5, -12], "result": [2, -1, -20]}
    assert len(set(looks(figure))) == 2
    assert set(lines(prediction(SAID).figure)) == {"prediction"}


def test_no_line_joins_places_without_an_order() -> None:
    figure = prediction(replace(SAID, question=replace(ASKED, ordered=False)), CAME).figure
    assert lines(figure) == {"prediction": [0, -5, -12], "result": [2, -1, -20]}
    assert sorted(looks(figure)) == [("o", "None"), ("s", "None")]


def test_its_words_hold_every_value_and_the_score() -> None:
    told = prediction(SAID, CAME).alt
    assert "n=1 0 and 2, n=2 -5 and -1 and n=3 -12 and -20" in told
    assert "widest gap is at n=3" in told
    assert "your prediction beats it" in told
    assert prediction(naive(ASKED)).alt.startswith("What do you expect? Nothing set yet")
    with pytest.raises(UsageError, match="1 results answer 3 places"):
        prediction(SAID, [1])


def test_what_nobody_predicted_is_not_drawn_as_if_it_had_been() -> None:
    assert set(lines(prediction(naive(ASKED)).figure)) == set()
    shown = prediction(naive(ASKED), CAME)
    assert set(lines(shown.figure)) == {"result"}
    assert "what came out: n=1 2, n=2 -1 and n=3 -20. Nothing was predicted" in shown.alt


def test_places_without_a_result_yet_are_left_open_and_a_late_prediction_says_so() -> None:
    shown = prediction(SAID, [2, math.nan, math.nan], "This prediction was made after the training.")
    assert "1 of 3 places have a result so far" in shown.alt
    assert "beats" not in shown.alt
    assert shown.alt.endswith("This prediction was made after the training.")


def told(picture: LabelledPicture) -> list[str]:
    """The labels of a picture's points, which lie on it."""
    picture.png()
    points = picture.points()
    assert all(0 < point.left < 100 and 0 < point.top < 100 for point in points)
    return [point.text for point in points]


def test_a_point_lies_on_the_pixels_of_its_marker() -> None:
    figure = Figure(figsize=(4, 3), facecolor="white")
    (line,) = figure.subplots().plot([0, 1, 2], [5, 9, 2], "s", color="#ff0000", markersize=9)
    picture = LabelledPicture(figure, "Three squares", texts=((line, ("low", "high", "")),))
    data, metadata = picture._repr_mimebundle_()
    with Image.open(io.BytesIO(picture.png().png)) as image:
        shown = image.convert("RGB")
    points = [Point(*point) for point in metadata["image/png"]["points"]]  # type: ignore[attr-defined]
    assert [point.text for point in points] == ["low", "high"], "a point without words has no label"
    for point in points:
        place = (point.left / 100 * shown.width, point.top / 100 * shown.height)
        assert shown.getpixel((round(place[0]), round(place[1]))) == (255, 0, 0)
        assert f'title="{point.text}"' in data["text/html"]


def test_a_growing_figure_tells_kept_networks_and_the_learners_apart() -> None:
    table = grids(["random0"])
    own = table["run"].isin(["baseA", "baseB", "A1B"])
    mixed = table.assign(whose=np.where(own, "yours", "kept"))
    said = Prediction(replace(ASKED, places=("n = 1", "n = 3")), (-2, -8), "2026-11-23T00:00:00+00:00")
    shown = growing(mixed, "photos", said)
    above, below = shown.figure.axes[:2]
    colours = {line.get_gid(): line.get_color() for line in (*above.lines, *below.lines) if line.get_gid()}
    assert colours["kept AnB"] == KEPT != colours["AnB"]
    assert lines(shown.figure)["prediction"] == [-2, -8]
    assert "3 networks here are yours" in shown.alt
    drawn = sum(np.size(line.get_xdata()) for line in above.lines if line.get_gid())
    assert drawn == len(table[table["treatment"] != "RnB"]), "each network once"
    assert isinstance(shown, LabelledPicture)
    labels = told(shown)
    a1b = table[table["run"] == "A1B"].iloc[0]
    assert any(
        label.startswith(f"A1B, random0, seed 0: {100 * a1b.top1:.1f} %, ") and label.endswith("against baseB")
        for label in labels
    )
    assert sum(label.startswith("kept A4B, ") for label in labels) == 1
    assert any(label.startswith("kept AnB+, n = 7: on average ") for label in labels)
    assert growing(table[:2].assign(whose="yours"), "photos", said).figure.axes[0].lines, "Figure 2 as ever"


def test_a_training_is_drawn_from_before_it_begins_to_its_end() -> None:
    for log in ((), LOG):
        drawn = training(log, TILES, 6, 40, "baseA")
        with Image.open(io.BytesIO(drawn.png().png)) as picture:
            assert picture.info["Description"] == drawn.alt
    curves = lines(training(LOG, TILES, 6, 40, "baseA").figure)
    assert curves["top-1"] == pytest.approx([20, 40, 60])
    assert curves["training loss"] == pytest.approx([3, 1.5, 1])


def test_its_words_say_where_it_stands_beside_guessing() -> None:
    told = training(LOG, TILES, 6, 40, "baseA").alt
    assert "after 3 of 6 epochs" in told
    assert "20.0 % after the first and 60.0 % now" in told
    assert f"Guessing among 40 classes: 2.5 %, loss {math.log(40):.2f}" in told
    assert training((), TILES, 6, 40, "baseA").alt.startswith("A network before training")


def test_layers_are_lines_with_their_names_at_the_end() -> None:
    curves = {"baseA on half A": (0.1, 0.5, 0.6), "untrained": (0.1, 0.1, 0.05)}
    picture = separation(curves, ("pixels", "conv1", "conv2"), 0.025, "Layers")
    figure, told = picture.figure, picture.alt
    assert lines(figure)["baseA on half A"] == pytest.approx([10, 50, 60])
    assert len(set(looks(figure))) == 2
    assert {text.get_text() for ax in figure.axes for text in ax.texts} == set(curves)
    assert "untrained: 10.0 % in pixels, highest 10.0 % in pixels, 5.0 % in conv2." in told
    assert "Guessing: 2.5 %." in told


def test_layers_without_values_are_refused() -> None:
    with pytest.raises(UsageError, match="no line to draw"):
        separation({}, ("pixels",), 0.5, "Layers")
    with pytest.raises(UsageError, match="one has 2 values for 1 places"):
        separation({"one": (0.1, 0.2)}, ("pixels",), 0.5, "Layers")
