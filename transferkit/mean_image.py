"""The mean image of a half: what the paper's network subtracts from every image before its first layer reads it."""

import torch
from torch import Tensor

from transferkit.data import HalfData

PIECE = 1024  # images summed at a time


def mean_image(half: HalfData) -> Tensor:
    """The mean of all images of a half, float32 3 x H x W in 0..255, on the CPU; the same bits in whatever order."""
    total = torch.zeros(half.images.shape[1:], dtype=torch.int64, device=half.images.device)
    for piece in (
        half.images.split(PIECE) if half.rows is None else (half.images[rows] for rows in half.rows.split(PIECE))
    ):
        total += piece.sum(0, dtype=torch.int64)
    return (total.double() / len(half.labels)).float().cpu()
