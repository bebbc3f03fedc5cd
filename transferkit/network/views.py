"""The part of an image that a network reads: a random crop, perhaps mirrored, in training; the centre in validation.

The paper crops 227 of 256 pixels. All draws are a function of their keys alone, on every device, so that an
interrupted training goes on with the very same views.
"""

import numpy as np
import torch
from torch import Tensor

from transferkit.config import Augment
from transferkit.randomness import Key, generator_from


def draw_views(augment: Augment, n_images: int, margin: int, *keys: Key) -> Tensor:
    """Draw a view of each of `n_images`: top, left (0..margin pixels), and 1 if mirrored; int64, images x 3."""
    drawn = generator_from("views", *keys).integers(0, [margin + 1, margin + 1, 2], (n_images, 3))
    if "crop" not in augment:
        drawn[:, :2] = margin // 2
    if "mirror" not in augment:
        drawn[:, 2] = 0
    return torch.from_numpy(drawn.astype(np.int64))


def take_views(images: Tensor, rows: Tensor, views: Tensor, size: int) -> Tensor:
    """Take rows of images, N x 3 x H x H, each in its own view, rows x 3: rows x 3 x size x size of the same dtype.

    This runs on the images' device, in one pass that reads only the pixels it keeps.
    """
    steps = torch.arange(size, device=images.device)
    down = views[:, 0, None] + steps
    across = views[:, 1, None] + torch.where(views[:, 2, None] == 1, size - 1 - steps, steps)
    channels = torch.arange(images.shape[1], device=images.device)
    return images[rows[:, None, None, None], channels[:, None, None], down[:, None, :, None], across[:, None, None, :]]


def take_centres(images: Tensor, size: int) -> Tensor:
    """The middle size x size pixels of images of any leading shape."""
    top = (images.shape[-1] - size) // 2
    return images[..., top : top + size, top : top + size]
