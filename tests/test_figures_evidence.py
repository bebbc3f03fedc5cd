import re
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from course import figures as course_figures
from course.evidence.authors import authors_table
from course.evidence.claims import judge_by_length
from tests.figure_tables import CLASSES, GUESSING, both_splits, grids, lines_called, log_of, stuck
from transferkit import figures
from transferkit.errors import UsageError
from transferkit.figures import Picture
from transferkit.results import pair


def on_few_images() -> pd.DataFrame:
    parts = [grids(["random0"], (0, 1)).assign(images_per_class=size) for size in (10.0, 40.0, 320.0)]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(top1=table["top1"] * (1 - 2 / table["images_per_class"]))


def dial() -> pd.DataFrame:
    parts = []
    for overlap in (0, 0.25, 0.5, 0.75, 1):
        table = grids([f"overlap-{overlap:g}"], (0, 1))
        fall = (table["treatment"] == "AnB") * 0.02 * table["n"] * (1 - overlap)
        parts.append(pair(table.assign(top1=table["top1"] - fall)))
    return pd.concat(parts, ignore_index=True)


def after_two_lengths() -> pd.DataFrame:
    """BnB lies 5 points above its base after 3 epochs, and at it after 32."""
    table = grids(["random0", "random1"])
    lifted = table.assign(top1=table["top1"] + 0.05 * (table["treatment"] == "BnB"))
    return pd.concat([pair(one.assign(epochs=epochs)) for one, epochs in ((lifted, 3), (table, 32))])


def draw_lengths() -> Picture:
    table = after_two_lengths()
    return course_figures.lengths(table, judge_by_length(table), "photos")


def in_two_scales() -> pd.DataFrame:
    table = grids(["random0"])
    random = table[table["treatment"] == "RnB"]
    parts = [table.assign(random_filters="he"), stuck(random, 3).assign(random_filters="published")]
    return pd.concat(parts, ignore_index=True)


def a_ledger(verdicts: tuple[str, ...] = ("holds", "fails", "undecided", "no data")) -> pd.DataFrame:
    number = np.arange(len(verdicts), dtype=float)
    known = np.array([not verdict.startswith("no") for verdict in verdicts])
    return pd.DataFrame(
        {
            "claim": [f"claim-{place}" for place in range(len(verdicts))],
            "sentence": [
                f"Sentence {place} says something that takes more than one line to say."
                for place in range(len(verdicts))
            ],
            "estimate": np.where(known, 3 - 6 * number, np.nan),
            "low": np.where(known, 2 - 6 * number, np.nan),
            "high": np.where(known, 4 - 6 * number, np.nan),
            "n": np.where(known, 8, 0),
            "verdict": verdicts,
            "unit": "points",
            "margin": 1.0,
        }
    )


def draw_ledger() -> Picture:
    return course_figures.ledger(a_ledger(), a_ledger(("fails", "not published", "holds", "undecided")), data="photos")


PICTURES: dict[str, Callable[[], Picture]] = {
    "figure 3": lambda: figures.figure3(stuck(both_splits()), "photos", classes=CLASSES),
    "images per class": lambda: course_figures.images_per_class(
        on_few_images(), "photos", authors=authors_table("supplement")
    ),
    "losses": lambda: course_figures.losses(stuck(both_splits()), "photos", classes=CLASSES),
    "dip": lambda: course_figures.dip(log_of(grids(["random0"])), "photos"),
    "convergence": lambda: course_figures.convergence(log_of(grids(["random0"])), "photos"),
    "distance": lambda: course_figures.distance(dial(), "shapeworld"),
    "sizes": lambda: course_figures.sizes(on_few_images(), "photos"),
    "lengths": draw_lengths,
    "scaling": lambda: course_figures.scaling(in_two_scales(), "photos", classes=CLASSES),
    "ledger": draw_ledger,
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_same_data_give_the_same_bytes_within_the_page_with_title_and_description(name: str) -> None:
    picture = PICTURES[name]()
    figure, told, drawn = picture.figure, picture.alt, picture.png().png
    assert drawn == PICTURES[name]().png().png
    with Image.open(BytesIO(drawn)) as image:
        assert image.info["Description"] == told
        assert image.info["Title"] == figure.get_suptitle()
    assert len(told) > 60
    assert "nan" not in told
    room = figure.get_tightbbox()
    assert min(room.x0, room.y0) >= 0
    assert room.x1 <= figure.get_figwidth()
    assert room.y1 <= figure.get_figheight()


@pytest.mark.parametrize("name", [name for name in PICTURES if name != "ledger"])
def test_every_figure_says_how_many_networks_stand_behind_a_point(name: str) -> None:
    said = " ".join(text.get_text() for text in PICTURES[name]().figure.texts)
    assert re.search(r"\d networks? per point", said.replace("\n", " "))


@pytest.mark.parametrize(("name", "panels"), [("figure 3", [1]), ("losses", [0, 1]), ("scaling", [0, 1])])
def test_networks_that_never_left_the_plateau_are_crossed_out_and_counted(name: str, panels: list[int]) -> None:
    picture = PICTURES[name]()
    figure, told = picture.figure, picture.alt
    match = re.search(r"Hollow and crossed out: (\d+) of", told)
    assert match
    for panel in panels:
        assert sum(len(x) for x, _ in lines_called(figure.axes[panel], "plateau")) == int(match[1])


def test_only_a_training_loss_of_guessing_is_a_plateau() -> None:
    losses = pd.DataFrame({"train_loss": [GUESSING, 0.99 * GUESSING, 0.95 * GUESSING, 0.5, np.nan]})
    assert figures.on_plateau(losses, CLASSES).tolist() == [True, True, False, False, False]
    assert not figures.on_plateau(losses, None).any()
    with pytest.raises(UsageError, match="1 class"):
        figures.on_plateau(losses, 1)


def test_losses_tell_underfitting_from_features_that_do_not_carry_over() -> None:
    table = grids(["random0"])
    low = table["treatment"] == "AnB"
    told = course_figures.losses(table.assign(train_loss=table["train_loss"].mask(low, 0.9)), "photos").alt
    assert "AnB is below its base with one as low or lower at n = 1, 2, 3, 4, 5, 6 and 7." in told
    told = course_figures.losses(
        table.assign(train_loss=table["train_loss"].mask(low & (table["n"] > 5), 1.5)), "p"
    ).alt
    assert "with a higher training loss at n = 6 and 7 and with one as low" in told
    assert "BnB is nowhere 1 point below its base." in told
    with pytest.raises(UsageError, match="training losses"):
        course_figures.losses(authors_table("figure2"), "ImageNet")


def test_the_dip_is_drawn_against_the_base_of_the_same_epoch_darkest_at_the_end() -> None:
    figure = PICTURES["dip"]().figure
    lines = [line for line in figure.axes[1].lines if str(line.get_gid()).startswith("AnB at")]
    assert [line.get_gid() for line in lines] == [f"AnB at epoch {epoch}" for epoch in (1, 2, 3, 4)]
    for part, line in enumerate(lines, 1):
        assert np.asarray(line.get_ydata())[7] == pytest.approx(-11.2 * part / 4)
    greys = [float(np.dot(to_rgb(line.get_color()), (0.299, 0.587, 0.114))) for line in lines]
    assert greys == sorted(greys, reverse=True)
    assert len(set(greys)) == len({str(line.get_marker()) for line in lines}) == 4


def test_convergence_says_when_the_bases_end_is_reached() -> None:
    told = PICTURES["convergence"]().alt
    assert "AnB+ goes from 17.9 to 71.7 % and reaches the bases' end at epoch 4." in told
    assert re.search(r"AnB goes from \S+ to \S+ % and does not reach", told)
    with pytest.raises(UsageError, match="n = 4"):
        course_figures.convergence(log_of(grids(["random0"]).query("n != 4")), "photos")
    with pytest.raises(UsageError, match="BnB or AnB"):
        course_figures.dip(log_of(grids(["random0"]).query("treatment != 'base'")), "photos")


def test_the_distance_dial_has_a_line_per_overlap_and_falls_with_distance() -> None:
    left, right = PICTURES["distance"]().figure.axes
    ends = [lines_called(left, f"{overlap:g}")[0][1][7] for overlap in (0, 0.25, 0.5, 0.75, 1)]
    assert ends == sorted(ends)
    ((shared, seventh),) = lines_called(right, "n = 7")
    assert shared.tolist() == [0, 25, 50, 75, 100]
    assert seventh == pytest.approx(ends)
    assert "4 networks per point" in PICTURES["distance"]().alt
    with pytest.raises(UsageError, match="overlap-x"):
        course_figures.distance(both_splits(), "photos")


def test_sizes_have_a_column_each_and_tell_the_gain_of_fine_tuning() -> None:
    figure = PICTURES["sizes"]().figure
    assert [ax.get_title("left").split(" ")[0] for ax in figure.axes[:3]] == ["10", "40", "320"]
    told = PICTURES["sizes"]().alt
    assert told.count("AnB+ minus AnB in points") == 3
    with pytest.raises(UsageError, match="images_per_class"):
        course_figures.sizes(both_splits(), "photos")


def test_images_per_class_are_drawn_linearly_and_in_logarithms() -> None:
    picture = PICTURES["images per class"]()
    linear, logarithmic = picture.figure.axes
    assert (linear.get_xscale(), linear.get_yscale()) == ("linear", "linear")
    assert (logarithmic.get_xscale(), logarithmic.get_yscale()) == ("log", "log")
    assert lines_called(linear, "networks")[0][0].shape == (12,)
    assert "Dotted: the authors' networks" in picture.alt
    assert "authors" not in course_figures.images_per_class(on_few_images(), "photos").alt
    with pytest.raises(UsageError, match="images_per_class"):
        course_figures.images_per_class(both_splits(), "photos")


def test_the_ledger_has_an_estimate_a_sign_and_a_word_per_claim() -> None:
    ax = draw_ledger().figure.axes[0]
    ours = lines_called(ax, "ours")
    assert [float(x[0]) for x, _ in ours] == [3, -3, -9]
    assert len(lines_called(ax, "authors")) == 3
    for verdict in ("holds", "fails", "undecided"):
        assert len(lines_called(ax, verdict)) == 2
    said = [text.get_text() for text in ax.texts]
    assert "no data" in said
    assert "not published" in said
    assert "holds (8)" in said


def test_claims_stand_under_their_questions_in_one_unit_on_one_screen() -> None:
    table = a_ledger(("holds",) * 23).assign(
        sentence="A claim on one line.", question=[f"Question {place // 6}?" for place in range(23)]
    )
    figure = course_figures.ledger(table.assign(margin=[0.25] * 12 + [20.0] * 11)).figure
    ax = figure.axes[0]
    said = [text.get_text() for text in ax.texts if text.get_gid() in ("question", "sentence")]
    assert [text.endswith("?") for text in said].count(True) == 4
    assert said[7] == "Question 1?"
    drawn = [float(x[0]) for x, _ in lines_called(ax, "ours")]
    assert drawn[:2] == [3 / 0.25, -3 / 0.25]
    assert drawn[12] == (3 - 6 * 12) / 20
    assert figure.get_figheight() < 1.3 * figure.get_figwidth()


def test_the_ledgers_sentences_do_not_run_into_each_other_or_the_axis() -> None:
    figure = draw_ledger().figure
    figure.draw_without_rendering()
    ax = figure.axes[0]
    boxes = [text.get_window_extent() for text in ax.texts if text.get_gid() == "sentence"]
    assert max(box.x1 for box in boxes) < ax.get_window_extent().x0
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes))


def test_the_ledger_is_told_in_counts_and_failures() -> None:
    told = course_figures.ledger(a_ledger(), a_ledger(("holds", "holds"))).alt
    assert "holds: 1, fails: 1, undecided: 1 and no data: 1" in told
    assert "Failing: Sentence 1 says" in told
    assert "In the authors' networks holds: 2." in told


def test_a_ledger_without_claims_or_columns_is_refused() -> None:
    with pytest.raises(UsageError, match="no claims"):
        course_figures.ledger(a_ledger()[:0])
    with pytest.raises(UsageError, match="no column high and verdict"):
        course_figures.ledger(a_ledger().drop(columns=["high", "verdict"]))


def test_the_figure_of_lengths_shows_a_line_per_treatment_and_a_verdict_per_claim_and_length() -> None:
    table = after_two_lengths()
    verdicts = judge_by_length(table)
    picture = course_figures.lengths(table, verdicts, "photos")
    panels = picture.figure.axes
    (line,) = (drawn for drawn in panels[0].lines if drawn.get_gid() == "BnB")
    means = 100 * table[(table["treatment"] == "BnB") & (table["n"] == 1)].groupby("epochs")["paired"].mean()
    assert np.allclose(np.asarray(line.get_ydata()), means)
    assert np.asarray(line.get_xdata()).tolist() == [3, 32]
    signs = [drawn for drawn in panels[-1].lines if drawn.get_linestyle() == "None"]
    assert len(signs) == len(verdicts) > 8
    assert "32 epochs" in picture.alt
    with pytest.raises(UsageError, match="one length of training only"):
        course_figures.lengths(table[table["epochs"] == 3], verdicts, "photos")
