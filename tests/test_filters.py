import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from transferkit.errors import UsageError
from transferkit.gabor.tiles import filter_tiles, is_coloured, order_filters

SIDE = 9
conv1_weights = arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.just(3), st.just(SIDE), st.just(SIDE)),
    elements=st.floats(-2, 2, width=32, allow_subnormal=False),
)


def wave(degrees: float, frequency: float) -> np.ndarray:
    """A light and dark wave, 3 x SIDE x SIDE, whose bars change along the direction `degrees`."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    along = x * np.cos(np.radians(degrees)) + y * np.sin(np.radians(degrees))
    return np.broadcast_to(np.sin(2 * np.pi * frequency * along), (3, SIDE, SIDE))


def blob(red: float, green: float, blue: float) -> np.ndarray:
    return np.broadcast_to(np.array([red, green, blue])[:, None, None], (3, SIDE, SIDE))


@given(conv1_weights)
def test_tiles_lie_in_0_to_1_around_a_mid_grey_of_no_weight(weights: np.ndarray) -> None:
    tiles = filter_tiles(weights)
    assert tiles.shape == (len(weights), SIDE, SIDE, 3)
    assert tiles.dtype == np.float32
    assert tiles.min() >= 0
    assert tiles.max() <= 1
    assert (tiles[weights.transpose(0, 2, 3, 1) == 0] == 0.5).all()


@given(conv1_weights, st.sampled_from([0.25, 8.0]))
def test_a_tile_does_not_depend_on_the_scale_of_its_filter(weights: np.ndarray, factor: float) -> None:
    assert np.allclose(filter_tiles(weights * factor), filter_tiles(weights))


@given(conv1_weights)
def test_the_negative_of_a_filter_is_the_negative_picture(weights: np.ndarray) -> None:
    assert np.allclose(filter_tiles(-weights), 1 - filter_tiles(weights), atol=1e-6)


def test_each_tile_is_scaled_by_its_own_largest_weight() -> None:
    weights = np.zeros((2, 3, SIDE, SIDE))
    weights[0, 0, 4, 4], weights[0, 2, 0, 0], weights[1, 1, 2, 3] = 0.2, -0.1, -7
    tiles = filter_tiles(weights)
    assert tiles[0, 4, 4].tolist() == [1, 0.5, 0.5]  # red
    assert tiles[0, 0, 0].tolist() == [0.5, 0.5, 0.25]
    assert tiles[1, 2, 3].tolist() == [0.5, 0, 0.5]


@pytest.mark.parametrize("shape", [(4, 3, 9), (4, 1, 9, 9), (4, 3, 9, 8), (0, 3, 9, 9), (3, 9, 9, 4)])
def test_weights_of_another_shape_are_refused_with_their_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=f"{shape[0]}.*conv1"):
        filter_tiles(np.zeros(shape))


def test_weights_of_a_diverged_network_are_refused() -> None:
    with pytest.raises(UsageError, match="diverged"):
        filter_tiles(np.full((1, 3, SIDE, SIDE), np.nan))


@given(conv1_weights)
def test_the_order_is_a_permutation_with_light_and_dark_before_colour(weights: np.ndarray) -> None:
    tiles = filter_tiles(weights)
    order = order_filters(tiles)
    assert sorted(order) == list(range(len(weights)))
    assert (np.diff(is_coloured(tiles)[order].astype(int)) >= 0).all()


@given(st.permutations(range(10)))
def test_filters_are_ordered_by_orientation_frequency_and_hue(shuffled: list[int]) -> None:
    in_order = [wave(0, 0.12), wave(0, 0.3), wave(45, 0.2), wave(90, 0.2)]
    in_order += [blob(1, -0.5, -0.5), blob(0.5, 0.5, -1), blob(-0.5, 1, -0.5)]  # red, yellow, green
    in_order += [blob(-1, 0.5, 0.5), blob(-0.5, -0.5, 1), blob(0.5, -1, 0.5)]  # cyan, blue, purple
    tiles = filter_tiles(np.stack([in_order[index] for index in shuffled]))
    assert [shuffled[index] for index in order_filters(tiles)] == list(range(10))


def test_equal_filters_keep_their_order() -> None:
    assert order_filters(filter_tiles(np.zeros((5, 3, SIDE, SIDE)))).tolist() == list(range(5))
