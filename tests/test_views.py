import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from transferkit.config import Augment
from transferkit.network.views import draw_views, take_centres, take_views

BOTH: Augment = "crop and mirror"


def pictures(count: int, size: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@given(st.integers(1, 6), st.integers(1, 12), st.integers(0, 8), st.integers(0, 2**31))
def test_a_view_is_a_slice_of_its_image_mirrored_or_not(count: int, size: int, margin: int, seed: int) -> None:
    images = pictures(count, size + margin)
    rows = torch.from_numpy(np.random.default_rng(seed).integers(0, count, 2 * count))
    views = draw_views(BOTH, len(rows), margin, seed)
    taken = take_views(images, rows, views, size)
    assert taken.dtype == torch.uint8
    for row, (top, left, mirrored), view in zip(rows, views.tolist(), taken, strict=True):
        wanted = images[row, :, top : top + size, left : left + size]
        assert torch.equal(view, wanted.flip(-1) if mirrored else wanted)


@given(st.integers(1, 50), st.integers(0, 40), st.integers(0, 5))
def test_views_stay_inside_and_depend_on_their_keys_alone(count: int, margin: int, epoch: int) -> None:
    views = draw_views(BOTH, count, margin, "order", epoch)
    assert views.shape == (count, 3)
    assert ((views >= 0) & (views <= torch.tensor([margin, margin, 1]))).all()
    assert torch.equal(views, draw_views(BOTH, count, margin, "order", epoch))


def test_every_offset_and_both_orientations_come_up_about_equally_often_and_anew_in_each_epoch() -> None:
    first, second = (draw_views(BOTH, 30_000, 2, "order", epoch) for epoch in (0, 1))
    assert not torch.equal(first, second)
    for column, choices in enumerate((3, 3, 2)):
        counts = torch.bincount(first[:, column], minlength=choices)
        assert ((counts - 30_000 / choices).abs() < 500).all()
    assert abs(np.corrcoef(first.T.numpy())[np.triu_indices(3, 1)]).max() < 0.03


@pytest.mark.parametrize(("augment", "still"), [("crop", [2]), ("mirror", [0, 1])])
def test_what_is_not_asked_for_stays_and_the_rest_is_the_same(augment: Augment, still: list[int]) -> None:
    both, one = draw_views(BOTH, 100, 4, "order"), draw_views(augment, 100, 4, "order")
    for column in range(3):
        if column in still:
            assert set(one[:, column].tolist()) == {0 if column == 2 else 2}
        else:
            assert torch.equal(one[:, column], both[:, column])


@pytest.mark.parametrize("size", [5, 6, 8])
def test_the_centre_is_what_a_view_in_the_middle_shows(size: int) -> None:
    images = pictures(3, 8)
    middle = torch.tensor([[(8 - size) // 2, (8 - size) // 2, 0]] * 3)
    assert torch.equal(take_centres(images, size), take_views(images, torch.arange(3), middle, size))
