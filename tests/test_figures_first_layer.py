import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.projections.polar import PolarAxes
from matplotlib.text import Text
from numpy.typing import NDArray
from PIL import Image

from course import figures as course_figures
from course.evidence.first_layers import Matching, match_filters
from course.figures.filter_sheet import filter_sheet
from course.figures.waves import mean_spectrum
from course.looking.kinds import COLUMNS, KINDS, LETTERS, fit_table
from transferkit.errors import UsageError
from transferkit.figures import Picture
from transferkit.figures.picture import DPI
from transferkit.gabor.tiles import filter_tiles

Floats = NDArray[np.floating]


def weights_of(filters: int, side: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(filters, 3, side, side))


def table_of(gabor: int, blob: int, neither: int) -> pd.DataFrame:
    """A table as of `fit_table`, with its filters in a shuffled order."""
    generator = np.random.default_rng(gabor)
    kinds = np.repeat(("gabor", "colour blob", "neither"), (gabor, blob, neither))
    table = pd.DataFrame({"filter": np.arange(len(kinds)), "kind": kinds}).reindex(columns=list(COLUMNS))
    table["r2"] = generator.uniform(0.76, 0.95, len(table))
    waves = table["kind"] == "gabor"
    table.loc[waves, "theta_deg"] = generator.uniform(0, 180, gabor)
    table.loc[waves, "wavelength_px"] = generator.uniform(2.6, 9, gabor)
    return table.sample(frac=1, random_state=0)


def matching_of(seed: int, filters: int = 8) -> Matching:
    return match_filters(weights_of(filters, 5), weights_of(filters, 5, seed))


def words_in(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def panels(figure: Figure) -> list[PolarAxes]:
    return [ax for ax in figure.axes if isinstance(ax, PolarAxes)]


@pytest.mark.parametrize(("filters", "side"), [(1, 5), (32, 9), (64, 7), (96, 11), (120, 16), (3, 200)])
def test_the_sheet_has_a_frame_and_three_labels_per_filter(filters: int, side: int) -> None:
    table = table_of(filters // 2, filters // 4, filters - filters // 2 - filters // 4)
    tiles = filter_tiles(weights_of(filters, side))
    ax = filter_sheet(tiles, table, "conv1").figure.axes[0]
    assert len(ax.patches) == filters
    labels = [text.get_text() for text in ax.texts]
    assert labels[0::3] == [str(number) for number in table["filter"]]
    assert labels[1::3] == [LETTERS[kind] for kind in table["kind"]]
    assert labels[2::3] == [f"{r2:.2f}" for r2 in table["r2"]]


@pytest.mark.parametrize(("filters", "side"), [(32, 9), (96, 11)])
def test_each_tile_of_the_saved_sheet_is_its_filter_enlarged_by_a_whole_number(filters: int, side: int) -> None:
    tiles = filter_tiles(weights_of(filters, side))
    picture = filter_sheet(tiles, table_of(filters, 0, 0), "conv1")
    figure, pixels = picture.figure, np.asarray(Image.open(BytesIO(picture.png().png)).convert("RGB"))
    assert pixels.shape[0] == round(figure.get_figheight() * DPI)
    for tile, frame in zip(tiles, figure.axes[0].patches, strict=True):
        assert isinstance(frame, Rectangle)
        left, top, width = round(frame.get_x()) + 3, round(frame.get_y()) + 3, round(frame.get_width()) - 6
        assert width % side == 0
        middles = np.arange(side) * (width // side) + width // side // 2
        seen = pixels[np.ix_(top + middles, left + middles)]
        np.testing.assert_allclose(seen, tile * 255, atol=1)


def test_no_labels_of_the_sheet_overlap() -> None:
    figure = filter_sheet(filter_tiles(weights_of(99, 11)), table_of(40, 30, 29), "conv1").figure
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[index + 1 : index + 40])


def test_the_legend_of_the_sheet_counts_the_kinds_and_its_note_says_how_tiles_are_scaled() -> None:
    figure = filter_sheet(filter_tiles(weights_of(8, 9)), table_of(4, 3, 1), "conv1 of baseA").figure
    said = " ".join(words_in(figure)).replace("\n", " ")
    for part in ("Gabor: 4 (50 %)", "colour blob: 3 (38 %)", "neither: 1 (12 %)"):
        assert part in said
    assert "scaled by its own largest weight; mid-grey is zero" in said
    assert figure.get_suptitle() == "conv1 of baseA"


def test_kinds_differ_in_the_dash_or_the_grey_of_their_frames() -> None:
    table = table_of(len(KINDS), 0, 0).assign(kind=KINDS)
    figure = filter_sheet(filter_tiles(weights_of(len(KINDS), 9)), table, "conv1").figure
    looks = {
        (frame.get_linestyle(), round(np.dot(frame.get_edgecolor()[:3], (0.3, 0.59, 0.11)), 1))
        for frame in figure.axes[0].patches
    }
    assert len(looks) == len(KINDS)
    assert len({LETTERS[kind] for kind in KINDS}) == len(KINDS)


def test_filters_too_small_for_a_fit_are_shown_without_kind_or_r2() -> None:
    weights = weights_of(4, 3)
    picture = filter_sheet(filter_tiles(weights), fit_table(weights), "conv1")
    assert "4 not fitted (100 %)." in picture.alt
    assert "nan" not in picture.alt + " ".join(words_in(picture.figure))


def test_a_fit_that_a_bound_stopped_has_a_star_with_a_note(tmp_path: Path) -> None:
    tiles, table = filter_tiles(weights_of(4, 9)), table_of(2, 1, 1)
    assert "bound" not in " ".join(words_in(filter_sheet(tiles, table, "conv1").figure))
    picture = filter_sheet(tiles, table.assign(at_bound="size"), "conv1 of $a$b$")
    labels = [text.get_text() for text in picture.figure.axes[0].texts][1::3]
    assert labels == [LETTERS[kind] + ("" if kind == "neither" else "*") for kind in table["kind"]]
    assert "A bound stopped 3 of the fits." in picture.alt
    assert "a bound of the fit stopped" in " ".join(words_in(picture.figure)).replace("\n", " ")
    assert b"$a$b$" in picture.save(tmp_path / "a.svg").read_bytes()  # which is no formula


def test_the_sheet_refuses_tables_that_do_not_fit() -> None:
    tiles = filter_tiles(weights_of(4, 9))
    with pytest.raises(UsageError, match="4 tiles and 5 rows"):
        filter_sheet(tiles, table_of(5, 0, 0), "conv1")
    with pytest.raises(UsageError, match="no filters"):
        filter_sheet(tiles[:0], table_of(0, 0, 0), "conv1")


def test_orientations_have_one_marker_per_gabor_at_its_angle_and_frequency() -> None:
    tables = {"baseA": table_of(7, 2, 1), "untrained": table_of(0, 0, 10)}
    first, second = panels(course_figures.orientations(tables).figure)
    gabors = tables["baseA"].query("kind == 'gabor'")
    seen = np.asarray(first.collections[0].get_offsets())
    np.testing.assert_allclose(seen, np.column_stack([np.radians(gabors["theta_deg"]), 1 / gabors["wavelength_px"]]))
    assert len(np.asarray(second.collections[0].get_offsets())) == 0
    assert "7 Gabors, 0 edges of 10 filters" in first.get_title()
    assert "0 Gabors, 0 edges of 10 filters" in second.get_title()


def test_an_edge_is_a_tick_in_its_direction() -> None:
    table = table_of(3, 1, 1)
    table["theta_deg"] = table["theta_deg"].where(table["kind"] != "colour blob", 60.0)
    table["kind"] = table["kind"].replace("colour blob", "edge")
    picture = course_figures.orientations({"baseA": table})
    ticks = panels(picture.figure)[0].collections[1].get_segments()  # type: ignore[attr-defined]
    assert [segment[0][0] for segment in ticks] == pytest.approx([np.radians(60)])
    assert "3 Gabors and 1 edge among 5 filters" in picture.alt


def test_the_rim_holds_every_gabor_and_is_common() -> None:
    tables = {"baseA": table_of(7, 2, 1), "baseB": table_of(9, 0, 0)}
    finest = max(1 / table["wavelength_px"].min() for table in tables.values())
    rims = {ax.get_rmax() for ax in panels(course_figures.orientations(tables).figure)}
    assert len(rims) == 1
    assert finest <= rims.pop() < finest + 0.05


def test_an_angle_is_drawn_as_it_is_seen_on_a_tile() -> None:
    table = table_of(1, 0, 0).assign(theta_deg=45.0)  # towards the lower right, which is from the upper left
    figure = course_figures.orientations({"baseA": table}).figure
    figure.draw_without_rendering()
    ax = panels(figure)[0]
    middle, dot = ax.transData.transform([(0, 0), (np.pi / 4, ax.get_rmax())])
    right, up = dot - middle
    assert right < 0 < up
    assert -right == pytest.approx(up)


def test_white_noise_has_a_flat_spectrum_of_one_and_a_wave_its_peak_where_it_should() -> None:
    noise = mean_spectrum(weights_of(400, 9))
    assert noise.mean() == pytest.approx(1)
    assert noise.std() < 0.1
    wave = np.cos(2 * np.pi * 0.25 * np.arange(16))
    row, column = np.unravel_index(mean_spectrum(np.broadcast_to(wave, (1, 3, 16, 16))).argmax(), (64, 64))
    assert row == 32
    assert abs(int(column) - 32) == 64 * 0.25


def test_spectra_share_one_colour_scale() -> None:
    weights = {name: weights_of(6, side) for name, side in (("baseA", 9), ("baseB", 9), ("other", 11))}
    figure = course_figures.spectra(weights).figure
    images = [image for ax in figure.axes for image in ax.images]
    assert len(images) == 3
    assert len({image.get_clim() for image in images}) == 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_spectra_of_dead_or_single_pixel_filters_can_be_drawn(value: float) -> None:
    weights = np.zeros((2, 3, 7, 7))
    weights[:, :, 3, 3] = value
    course_figures.spectra({"baseA": weights}).png()


def test_shares_are_stacked_to_the_whole_with_every_count_written_in() -> None:
    tables = {"baseA": table_of(90, 5, 1), "untrained": table_of(0, 0, 32)}
    ax = course_figures.shares(tables).figure.axes[0]
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [bar.get_width() for bar in bars] == pytest.approx([100 * 90 / 96, 100 * 5 / 96, 100 / 96, 100])
    assert len({bar.get_hatch() for bar in bars[:3]}) == 3
    assert [text.get_text() for text in ax.texts] == ["90", "5", "1", "32"]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        f"{name}\nn = {len(table)}, R\N{SUPERSCRIPT TWO} {table['r2'].median():.2f}" for name, table in tables.items()
    ]


def test_matching_has_a_line_with_its_own_dash_and_label_per_comparison() -> None:
    matchings = {f"baseA - {seed}": matching_of(seed) for seed in range(4)}
    figure = course_figures.matching(matchings).figure
    ax = figure.axes[0]
    for line, (name, matching) in zip(ax.lines, matchings.items(), strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(np.asarray(line.get_xdata()), np.arange(1, 9))
        np.testing.assert_array_equal(np.asarray(line.get_ydata()), matching.likeness)
    assert len({str(line._dash_pattern) for line in ax.lines}) == 4  # type: ignore[attr-defined]
    assert [text.get_text().split("\n")[0] for text in ax.texts] == list(matchings)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(box.overlaps(other) for index, box in enumerate(boxes) for other in boxes[index + 1 :])


TABLES = {"baseA": table_of(5, 3, 2), "untrained": table_of(0, 0, 10)}
WEIGHTS = {"baseA": weights_of(5, 9)}
TILES = filter_tiles(weights_of(10, 9))
PICTURES: dict[str, Callable[[], Picture]] = {
    "sheet": lambda: filter_sheet(TILES, TABLES["baseA"], "conv1"),
    "orientations": lambda: course_figures.orientations(TABLES),
    "no Gabors": lambda: course_figures.orientations({"untrained": TABLES["untrained"]}),
    "spectra": lambda: course_figures.spectra(WEIGHTS),
    "shares": lambda: course_figures.shares(TABLES),
    "matching": lambda: course_figures.matching({"baseA - baseB": matching_of(1)}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_same_data_give_the_same_bytes_with_title_and_description(name: str) -> None:
    one, other = (PICTURES[name]() for _ in range(2))
    assert one.png().png == other.png().png
    told = Image.open(BytesIO(one.png().png)).info
    assert told["Description"] == one.alt
    assert told["Title"] == one.figure.get_suptitle()


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_is_cut_off_at_the_page(name: str) -> None:
    figure = PICTURES[name]().figure
    figure.draw_without_rendering()
    room = figure.get_tightbbox()
    assert room.x0 >= 0
    assert room.y0 >= 0
    assert room.x1 <= figure.get_figwidth()
    assert room.y1 <= figure.get_figheight()


def test_descriptions_tell_the_numbers() -> None:
    table = TABLES["baseA"]
    finest = 1 / table["wavelength_px"].min()
    sheet, told = PICTURES["sheet"]().alt, PICTURES["orientations"]().alt
    assert "5 Gabors (50 %), 0 edges (0 %), 3 colour blobs (30 %), 0 grey blobs (0 %), 2 neither (20 %)" in sheet
    assert f"median {table['r2'].median():.2f}" in sheet
    untrained = TABLES["untrained"]["r2"].median()
    assert f"untrained, 10 filters, median R2 {untrained:.2f}: 0 Gabors (0 %), 0 edges" in PICTURES["shares"]().alt
    coarsest = 1 / table["wavelength_px"].max()
    assert f"5 Gabors and 0 edges among 10 filters; the Gabors at {coarsest:.2f} to {finest:.2f} cycles" in told
    assert sum(int(count) for count in re.findall(r"(\d+) near", told)) == 5
    assert "untrained: no Gabors and 0 edges among 10 filters" in told
    assert re.search(r"baseA, 5 filters: half of the power lies within 0\.\d\d cycles", PICTURES["spectra"]().alt)
    likeness = matching_of(1).likeness
    expected = f"8 pairs: from {likeness[0]:.2f} to {likeness[-1]:.2f}, mean {likeness.mean():.2f}"
    assert expected in PICTURES["matching"]().alt


def test_nothing_to_draw_is_refused() -> None:
    for draw in (course_figures.orientations, course_figures.shares):
        with pytest.raises(UsageError, match="no network"):
            draw({})
        with pytest.raises(UsageError, match="baseA has no filters"):
            draw({"baseA": table_of(0, 0, 0)})
    with pytest.raises(UsageError, match="no network"):
        course_figures.spectra({})
    with pytest.raises(UsageError, match="no comparison"):
        course_figures.matching({})
