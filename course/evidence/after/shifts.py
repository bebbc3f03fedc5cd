"""Changes that images or labels suffer between training and use, stronger than any that the data set itself has."""

import torch
from torch import Tensor
from torch.nn import functional as F

from course.evidence.after.variants import OfImages, Shift
from transferkit.randomness import seed_from
from transferkit.training.data import HalfData

CAST = (1.4, 1.0, 0.6)  # factors of red, green and blue, as in the light of a lamp; photos has 0.775 to 1.225
BLUR = 2.0  # standard deviation in pixels
NOISE = 0.25  # standard deviation as a fraction of the full range; photos has 0.06 at most


def shifted(half: HalfData, shift: Shift | None) -> HalfData:
    """The half with its images (uint8 N x 3 x H x W, in memory) or its labels changed; the same half without a shift.

    "labels" numbers the classes backwards, so that the same images must get other outputs.
    """
    if shift is None:
        return half
    if shift == "labels":
        return HalfData(half.images, half.n_classes - 1 - half.labels, half.n_classes, half.rows)
    images = torch.cat([_changed(part.float(), shift, number) for number, part in enumerate(half.images.split(512))])
    return HalfData(images, half.labels, half.n_classes)


def _changed(images: Tensor, shift: OfImages, number: int) -> Tensor:
    if shift == "cast":
        images = images * torch.tensor(CAST, device=images.device).view(3, 1, 1)
    elif shift == "blur":
        images = _blurred(images)
    else:
        generator = torch.Generator(images.device).manual_seed(seed_from("shift", shift, number))
        images = images + 255 * NOISE * torch.randn(images.shape, generator=generator, device=images.device)
    return images.round().clamp(0, 255).to(torch.uint8)


def _blurred(images: Tensor) -> Tensor:
    reach = round(3 * BLUR)
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=images.device) / BLUR) ** 2)
    line = (line / line.sum()).expand(3, 1, 1, -1)
    padded = F.pad(images, (reach,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, line, groups=3), line.transpose(2, 3), groups=3)
