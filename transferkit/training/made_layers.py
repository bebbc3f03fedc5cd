"""First layers whose filters no training made, to ask what of a learned conv1 a network needs.

Only the shapes of the filters are exchanged. Each keeps its bias and the mean square of its responses to the training
images of the target's half. So the base's own filters, exchanged for themselves, stay as they are.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from transferkit.gabor import Gabor, fit_filters
from transferkit.network import LayeredNet
from transferkit.randomness import generator_from, seed_from
from transferkit.training.data import HalfData
from transferkit.treatments import Made, Run

IMAGES, PATCHES_PER_IMAGE = 2048, 10  # patches of all filters' size: enough for an energy to within about 1 %
WAVES = (1.5, 3.0)  # cycles of the bank's two wavelengths in a tile
SIZE = 0.4  # of a wavelength: the envelope of the bank's Gabors, about an octave wide

Filters = NDArray[np.float64]


def with_made_filters(
    run: Run, weights: Mapping[str, np.ndarray], network: LayeredNet, half: HalfData
) -> dict[str, np.ndarray]:
    """A base's weights with the shapes of conv1's filters exchanged as the run's source says.

    `network` scales the images of `half`, the training images of the run's target. The same run on the same images
    always gets the same filters. Raises UsageError, for source F, when the filters are too small for a fit.
    """
    name = network.spec.first_filters
    own = weights[name].astype(np.float64)
    keys = ("made", run.source or "", run.split, run.seed, run.target)
    patches = draw_patches(network, half, own.shape[-1], generator_from("patches", *keys[2:]))
    made = MAKERS[run.source](own, patches, seed_from(*keys))  # type: ignore[index]
    kept = np.sqrt(energies(own, patches) / np.maximum(energies(made, patches), np.finfo(float).tiny))
    return {**weights, name: (made * kept[:, None, None, None]).astype(weights[name].dtype)}


def draw_patches(network: LayeredNet, half: HalfData, side: int, generator: np.random.Generator) -> Filters:
    """Patches at random places of the half's images, as conv1 reads them: float64, patches x 3 x side x side."""
    chosen = torch.from_numpy(generator.integers(len(half.labels), size=IMAGES))
    rows = chosen if half.rows is None else half.rows[chosen]
    held = half.images.index_select(0, rows.to(half.images.device)).permute(0, 2, 3, 1)
    images = network.to_input(held, torch.float32).cpu().numpy()
    windows = np.lib.stride_tricks.sliding_window_view(images, (side, side), axis=(2, 3))
    y, x = (generator.integers(size, size=(IMAGES, PATCHES_PER_IMAGE)) for size in windows.shape[2:4])
    return windows[np.arange(IMAGES)[:, None], :, y, x].reshape(-1, 3, side, side).astype(np.float64)


def energies(filters: Filters, patches: Filters) -> NDArray[np.float64]:
    """The mean square of each filter's responses to the patches."""
    responses = np.tensordot(patches, filters, axes=((1, 2, 3), (1, 2, 3)))
    return np.asarray(np.square(responses).mean(0))


def fits(own: Filters, patches: Filters, seed: int) -> Filters:
    """F: the Gabor fitted to each filter; what the fit does not explain is thrown away."""
    return np.stack([fit.gabor.draw(own.shape[-1]) for fit in fit_filters(own)])


def components(own: Filters, patches: Filters, seed: int) -> Filters:
    """I: independent components of the patches, as many as filters (Bell and Sejnowski 1997), from patches alone."""
    from sklearn.decomposition import FastICA

    analysis = FastICA(len(own), whiten="unit-variance", max_iter=500, tol=1e-3, random_state=seed % 2**32)
    return np.asarray(analysis.fit(patches.reshape(len(patches), -1)).components_).reshape(own.shape)


def bank(own: Filters, patches: Filters, seed: int) -> Filters:
    """G: as many filters, made by this rule: a quarter are blobs in colour, evenly around the circle of hues.

    The others are grey Gabors: two wavelengths (WAVES in a tile), even and odd, in as many orientations as are needed.
    """
    count, side = len(own), own.shape[-1]
    blobs = round(count / 4)
    turns = -(-(count - blobs) // (2 * len(WAVES)))
    grey = (3**-0.5, 3**-0.5, 3**-0.5)
    waves = [
        Gabor(0, 0, 180 * turn / turns, side / cycles, phase, SIZE * side / cycles, 1, *grey, 1)
        for cycles in WAVES for phase in (0, 90) for turn in range(turns)
    ]  # fmt: skip
    red, blue = np.array([2, -1, -1]) / 6**0.5, np.array([0, -1, 1]) / 2**0.5  # at right angles to grey
    axes = [np.cos(hue) * red + np.sin(hue) * blue for hue in 2 * np.pi * np.arange(blobs) / blobs]
    patch = [Gabor(0, 0, 0, 4 * side, 0, side / 4, 1, axis[0], axis[1], axis[2], 1) for axis in axes]
    return np.stack([gabor.draw(side) for gabor in (*waves[: count - blobs], *patch)])


def spectral_noise(own: Filters, patches: Filters, seed: int) -> Filters:
    """S: noise with the layer's mean power spectrum and the mean covariance of its channels, and no shape at all."""
    power = np.square(np.abs(np.fft.rfft2(own))).mean((0, 1))
    flat = own.transpose(1, 0, 2, 3).reshape(3, -1)
    values, vectors = np.linalg.eigh(flat @ flat.T)
    colours = vectors * np.sqrt(values.clip(0))
    noise = generator_from("noise", seed).normal(size=own.shape)
    smooth: Filters = np.fft.irfft2(np.fft.rfft2(noise) * np.sqrt(power), s=own.shape[2:])
    return np.asarray(np.einsum("ab,fbyx->fayx", colours, smooth))


def white_noise(own: Filters, patches: Filters, seed: int) -> Filters:
    """W: every weight drawn from the same Gaussian."""
    return generator_from("noise", seed).normal(size=own.shape)


Maker = Callable[[Filters, Filters, int], Filters]
MAKERS: Mapping[Made, Maker] = {"F": fits, "I": components, "G": bank, "S": spectral_noise, "W": white_noise}
