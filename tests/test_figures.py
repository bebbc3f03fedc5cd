import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from tests.figure_tables import EFFECT, some_runs, table_of
from transferkit import figures
from transferkit.errors import UsageError
from transferkit.figures import Picture, words
from transferkit.figures.style import STYLES
from transferkit.gabor.tiles import filter_tiles
from transferkit.treatments import TREATMENTS, grid, plan


@pytest.fixture(scope="module")
def balanced() -> pd.DataFrame:
    return table_of(*grid("random0", 0))


@pytest.fixture(scope="module")
def three_seeds() -> pd.DataFrame:
    return table_of(*(run for seed in range(3) for run in grid("random0", seed)))


PARTIAL = [("baseB",), ("A3B",), ("baseA", "baseB", "A3B"), ("baseB", "B1B", "B2B", "B6B"), ("baseA", "R1A", "A2B+")]


def empty_axes() -> Axes:
    return Figure().add_subplot()


def drawn(ax: Axes, treatment: str) -> tuple[np.ndarray, np.ndarray]:
    lines = [line for line in ax.lines if line.get_gid() == treatment]
    assert len(lines) == 1
    return np.asarray(lines[0].get_xdata()), np.asarray(lines[0].get_ydata())


def test_there_is_one_marker_per_network_at_its_accuracy(three_seeds: pd.DataFrame) -> None:
    ax = empty_axes()
    figures.plot_networks(ax, three_seeds, TREATMENTS)
    for treatment in TREATMENTS:
        rows = three_seeds[three_seeds["treatment"] == treatment]
        x, y = drawn(ax, treatment)
        assert sorted(y) == pytest.approx(sorted(100 * rows["top1"]))
        assert np.round(x - STYLES[treatment].offset).tolist() == rows["n"].tolist()


def test_no_network_hides_another_and_target_a_is_on_the_left(three_seeds: pd.DataFrame) -> None:
    ax = empty_axes()
    figures.plot_networks(ax, three_seeds, TREATMENTS)
    places = np.concatenate([drawn(ax, treatment)[0] for treatment in TREATMENTS])
    assert len(np.unique(places.round(6))) == len(three_seeds)
    rows = (three_seeds["treatment"] == "AnB") & (three_seeds["n"] == 4)
    x = pd.Series(drawn(ax, "AnB")[0], index=three_seeds.index[three_seeds["treatment"] == "AnB"])[rows]
    targets = three_seeds.loc[rows, "target"]
    assert x[targets == "A"].max() < x[targets == "B"].min()


def test_lines_go_through_the_means_of_the_paired_differences_from_zero(balanced: pd.DataFrame) -> None:
    ax = empty_axes()
    figures.plot_means(ax, balanced, TREATMENTS)
    for treatment in list(EFFECT)[1:]:
        assert drawn(ax, treatment)[1] == pytest.approx([100 * EFFECT[treatment] * n for n in range(8)])


def test_a_line_is_joined_over_an_n_without_a_network_which_has_no_marker() -> None:
    ax = empty_axes()
    figures.plot_means(ax, some_runs("baseB", "A1B", "A2B", "A5B"))
    assert np.round(drawn(ax, "AnB")[0]).tolist() == [0, 1, 2, 5]
    (line,) = (line for line in ax.lines if line.get_gid() == "AnB")
    assert line.get_markevery() == [1, 2, 3]


def test_intervals_are_drawn_from_three_networks_up(balanced: pd.DataFrame, three_seeds: pd.DataFrame) -> None:
    bars = []
    for table in (balanced, three_seeds):
        ax = empty_axes()
        figures.plot_means(ax, table, ("base", "RnB"))
        bars.append(sum(len(bar.get_paths()) for bar in ax.collections))
    assert bars == [0, 7]
    assert "No intervals" in words.interval_note(balanced)
    assert "95 %" in words.interval_note(three_seeds)


def test_the_right_axis_adds_the_mean_of_the_bases(balanced: pd.DataFrame) -> None:
    figure = figures.figure2(balanced, "photos").figure
    figure.draw_without_rendering()
    below = figure.axes[1]
    (right,) = below.child_axes
    assert right.get_ylim() == pytest.approx([limit + 70.5 for limit in below.get_ylim()])


def test_every_treatment_looks_different_without_any_colour() -> None:
    looks = {(style.shape, style.sign, style.dash, filled(style.fill)) for style in STYLES.values()}
    assert len(looks) == len(STYLES) == len(TREATMENTS)
    for one, other in combinations(STYLES.values(), 2):
        markers_differ = (one.shape, one.sign) != (other.shape, other.sign)
        assert markers_differ or abs(grey(one.fill) - grey(other.fill)) > 0.3


def grey(colour: str) -> float:
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


def filled(colour: str) -> bool:
    return grey(colour) < 0.6


@pytest.mark.parametrize("draw", [figures.figure2, figures.random_filters])
def test_no_text_is_cut_off_and_no_name_covers_another(three_seeds: pd.DataFrame, draw: Callable[..., Picture]) -> None:
    flat = three_seeds.assign(top1=0.7, paired=0.0)  # all lines end in one point
    for table in (three_seeds, flat):
        figure = draw(table, "photos with a rather long name, as the folder of a user's own data set may have").figure
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
        assert min(box.x0 for box in boxes) >= 0
        assert min(box.y0 for box in boxes) >= 0
        assert max(box.x1 for box in boxes) <= figure.bbox.width
        assert max(box.y1 for box in boxes) <= figure.bbox.height
        ends = [text.get_window_extent() for text in figure.axes[-1].texts]
        assert not any(one.overlaps(other) for one, other in combinations(ends, 2))


@pytest.mark.parametrize("labels", PARTIAL, ids=" ".join)
def test_a_partial_table_can_be_drawn_and_described(labels: tuple[str, ...]) -> None:
    table = some_runs(*labels)
    for picture in (figures.figure2(table, "photos"), figures.random_filters(table, "photos")):
        picture.figure.draw_without_rendering()
        assert "data photos, split random0." in picture.alt
        assert "nan" not in picture.alt


def test_a_table_without_networks_is_refused(balanced: pd.DataFrame) -> None:
    for make in (figures.figure2, figures.random_filters):
        with pytest.raises(UsageError, match="sweep"):
            make(balanced[:0], "photos")


def test_the_caption_counts_what_stands_behind_every_point(balanced: pd.DataFrame, three_seeds: pd.DataFrame) -> None:
    assert words.caption(balanced, "photos") == (
        "2 networks per point (targets A and B), 1 seed; data photos, split random0"
    )
    assert words.caption(three_seeds, "photos").startswith("6 networks per point (targets A and B), 3 seeds;")
    uneven = some_runs("baseB", "A1B", "A1A", "A2B", "A2A", "B2A", "A3B+")
    assert words.caption(uneven, "photos").startswith("Networks per point: BnB 1, AnB 1-2, AnB+ 1 (targets A and B)")


def test_the_description_tells_the_trends_with_the_numbers_of_the_data(balanced: pd.DataFrame) -> None:
    told = figures.figure2(balanced, "photos").alt
    assert "mean top-1 70.5 % (2 networks)" in told
    assert "AnB (transfer, frozen) falls from -1.6 at n = 1 to -11.2 at n = 7." in told
    assert "BnB (selffer, frozen) stays between -0.7 and -0.1" in told
    assert "AnB+ (transfer, fine-tuned) rises from +0.3 at n = 1 to +2.1 at n = 7." in told
    assert "RnB" not in told
    assert "RnB (random filters, frozen) falls from -5.0" in figures.random_filters(balanced, "photos").alt


def test_the_description_names_a_dip(balanced: pd.DataFrame) -> None:
    dip = (balanced["treatment"] == "BnB") & (balanced["n"] == 5)
    told = figures.figure2(balanced.assign(paired=balanced["paired"].mask(dip, -0.03)), "photos").alt
    assert re.search(r"BnB \(selffer, frozen\) ends near where it began,.*lowest -3\.0 at n = 5", told)


def test_the_file_carries_its_description_and_nothing_that_changes(balanced: pd.DataFrame, tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        picture_of = figures.figure2(balanced, "photos")
        assert picture_of.save(tmp_path / "new" / name) == tmp_path / "new" / name
    with Image.open(tmp_path / "new" / "one.png") as picture:
        text = {key: value for key, value in picture.info.items() if isinstance(value, str)}
        assert text == {"Description": picture_of.alt, "Title": "How transferable are the features?"}
        assert picture.width == 1400
        assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    assert (tmp_path / "new" / "one.png").read_bytes() == (tmp_path / "new" / "two.png").read_bytes()
    assert [path.name for path in sorted((tmp_path / "new").iterdir())] == ["one.png", "two.png"]


@pytest.mark.parametrize(
    ("ending", "begins", "holds"),
    [(".png", b"\x89PNG", b"Description"), (".svg", b"<?xml", b"<dc:description>"), (".PDF", b"%PDF", b"/Subject")],
)
def test_a_picture_is_saved_by_the_ending_with_its_text_and_the_same_bytes_twice(
    ending: str, begins: bytes, holds: bytes, tmp_path: Path
) -> None:
    one, two = (
        figures.figure1(plan("random0", [0], ["A3B"])).save(str(tmp_path / name) + ending).read_bytes()
        for name in ("one", "two")
    )
    assert one == two
    assert one.startswith(begins)
    assert holds in one
    assert b"A3B: conv1 to conv3 copied from baseA and frozen" in one


@pytest.mark.parametrize("name", ["picture.jpg", "picture"])
def test_no_other_ending_is_taken_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"'{name}' cannot be written: let the name end in"):
        figures.figure1(plan("random0", [0], ["A3B"])).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("count", "side"), [(32, 9), (96, 11), (5, 7)])
def test_filters_are_shown_side_by_side_in_whole_pixels(count: int, side: int, tmp_path: Path) -> None:
    sheets = [filter_tiles(np.random.default_rng(seed).normal(size=(count, 3, side, side))) for seed in (0, 1)]
    drawn = figures.conv1(sheets[0], sheets[1], ("baseA", "baseB"))
    assert f"baseB: {count} filters of {side} by {side} pixels" in drawn.alt
    figure = drawn.figure
    assert [ax.get_title("left").split(" (")[0] for ax in figure.axes] == ["conv1 of baseA", "conv1 of baseB"]
    drawn.save(tmp_path / "conv1.png")
    with Image.open(tmp_path / "conv1.png") as picture:
        assert picture.width == 1400
        pixels = np.asarray(picture.convert("RGB"))
    for sheet, ax in zip(sheets, figure.axes, strict=True):
        shown = np.asarray(ax.images[0].get_array())
        assert shown.shape[0] * 2 > side * 12  # each filter is at least a few millimetres wide
        box = ax.get_position()
        left, top = round(box.x0 * pixels.shape[1]), round((1 - box.y1) * pixels.shape[0])
        found = pixels[top : top + shown.shape[0], left : left + shown.shape[1]]
        assert np.abs(found / 255 - shown).max() <= 1 / 255
        assert np.abs(found[0, 0] / 255 - sheet[0, 0, 0]).max() <= 1 / 255
