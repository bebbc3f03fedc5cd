"""The negative control of a first layer: what remains a Gabor to the fit when nobody would see one."""

import numpy as np

from course.looking.kinds import Filters
from transferkit.randomness import generator_from


def scrambled_filters(weights: Filters, seed: int = 0) -> Filters:
    """The negative control: the same filters with scrambled phases, float filters x 3 x k x k.

    Each keeps its power spectrum and its colours, as the three channels are scrambled alike. What made it an edge, a
    wave or a patch in one place is lost.
    """
    side = weights.shape[-1]
    noise = np.fft.rfft2(generator_from("scrambled filters", seed).normal(size=(len(weights), 1, side, side)))
    scrambled: Filters = np.fft.irfft2(np.fft.rfft2(weights) * noise / np.abs(noise), s=(side, side))
    return scrambled
