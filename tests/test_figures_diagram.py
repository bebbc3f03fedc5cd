import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from transferkit import figures
from transferkit.errors import UsageError
from transferkit.figures.figure1 import layers_of
from transferkit.treatments import LAYERS, Run, grid, parse_run, plan

RUNS = plan("random0", [0], ["B3B", "B3B+", "A3B", "A3B+", "R3B"])


def frames(figure: Figure) -> list[Rectangle]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle) and patch.get_gid() in LAYERS]


def locks(figure: Figure) -> int:
    return sum(patch.get_gid() == "lock" for patch in figure.axes[0].patches)


@given(st.sampled_from(grid("random0", 0)))
def test_layers_below_the_chop_come_from_the_source_and_those_above_from_the_target(run: Run) -> None:
    layers = layers_of(run)
    assert [layer.name for layer in layers] == list(LAYERS)
    for index, layer in enumerate(layers):
        below = index < run.n
        assert layer.copied == below
        assert layer.frozen == (below and not run.finetune)
        assert layer.data[0] == (run.source if below else run.target)
        assert layer.data[-1] == (run.source if layer.frozen else run.target)


def test_there_is_a_rectangle_per_layer_a_lock_where_it_is_frozen_and_an_arrow_per_copy() -> None:
    figure = figures.figure1(RUNS).figure
    assert len(frames(figure)) == len(RUNS) * len(LAYERS) == 7 * 8
    assert locks(figure) == 3 * 3  # A3B, B3B and R3B
    arrows = {str(patch.get_gid()) for patch in figure.axes[0].patches if " to " in str(patch.get_gid())}
    assert arrows == {"baseA to A3B", "baseA to A3B+", "baseB to B3B", "baseB to B3B+"}


def test_every_network_stands_below_the_base_it_copies_from() -> None:
    names = [text.get_text() for text in figures.figure1(RUNS).figure.axes[0].texts]
    order = [name for name in names if name in {run.label for run in RUNS}]
    assert order == ["baseA", "A3B", "A3B+", "baseB", "B3B", "B3B+", "R3B"]


@pytest.mark.parametrize("labels", [["A7B"], ["baseA"], ["R1A", "B1A+"], ["A1B", "A5B", "B2A"]], ids=" ".join)
def test_any_plan_can_be_drawn_within_the_page_and_told(labels: list[str]) -> None:
    runs = plan("natural", [1], labels)
    picture = figures.figure1(runs)
    figure = picture.figure
    figure.draw_without_rendering()
    room = figure.get_tightbbox()
    assert min(room.x0, room.y0) >= 0
    assert room.x1 <= figure.get_figwidth()
    assert room.y1 <= figure.get_figheight()
    assert all(f"{run.label}: " in picture.alt for run in runs)


def test_the_description_says_what_is_copied_and_what_becomes_of_it() -> None:
    told = figures.figure1(RUNS).alt
    assert "A3B+: conv1 to conv3 copied from baseA and trained on with the rest; the layers above trained on" in told
    assert "R3B: conv1 to conv3 random, untrained and frozen" in told


def test_no_runs_and_runs_of_two_seeds_are_refused() -> None:
    with pytest.raises(UsageError, match="at least one run"):
        figures.figure1([])
    with pytest.raises(UsageError, match="random0 seed 0 and random0 seed 1"):
        figures.figure1([parse_run("baseA", "random0", seed) for seed in (0, 1)])
