"""What the units of a network answer: the images that each answers most, and every layer's answer to one picture."""

import io
import math
import warnings
from collections.abc import Collection, Iterator
from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from transferkit.errors import StoreError, UsageError
from transferkit.network import MEAN_IMAGE, LayeredNet
from transferkit.network.views import take_centres
from transferkit.specs import StagedSpec
from transferkit.training.data import HalfData, open_half
from transferkit.training.examples import EVALUATION_BATCH, mean_image
from transferkit.training.study import Study
from transferkit.training.surgery import operate
from transferkit.treatments import Half, Run

BEST = 8  # images that are ranked for each unit


def untrained_network(study: Study, run: Run) -> LayeredNet:
    """The network that a base starts from, in evaluation mode: the control for claims about what training found.

    Its batch normalisation, if any, has seen no image and passes its inputs on. Raises StoreError when weights that it
    starts from are not in the store.
    """
    net, base = study.setting.net, run.target_base
    given = study.store.given(net.start) if isinstance(net, StagedSpec) and net.start else None
    mean = _mean_image(study, base) if net.pixels == "mean image" else None
    n_classes = len(study.prepared.split(base.split).classes(base.target))
    return operate(net, n_classes, base, given, mean_image=mean).network.eval()


def _mean_image(study: Study, base: Run) -> Tensor:
    """The mean image of a base: from its weights if it is finished, which saves reading all its images again."""
    try:
        return torch.from_numpy(study.store.weights(base, study.setting)[MEAN_IMAGE])
    except StoreError:
        split, limit = study.prepared.split(base.split), study.setting.recipe.images_per_class
        return mean_image(open_half(study.prepared, split, base.target, "train", images_per_class=limit))


def sample_half(study: Study, split: str, half: Half, count: int) -> HalfData:
    """At most `count` validation images of a half, spread evenly over it, cut to the centre that the network reads."""
    data = open_half(study.prepared, study.prepared.split(split), half, "valid")
    chosen = torch.linspace(0, len(data.labels) - 1, min(count, len(data.labels))).round().long()
    assert data.rows is not None
    images = take_centres(data.images[data.rows[chosen]], study.setting.net.image_size)
    return HalfData(images, data.labels[chosen], data.n_classes)


def read_picture(path: Path | str, study: Study) -> NDArray[np.uint8]:
    """A picture file as the network reads it, uint8 3 x H x H, fitted to a square as `data_prep` fits pictures.

    It is turned as its EXIF data say, and transparent parts become white. Raises UsageError for any other file.
    """
    try:
        content = io.BytesIO(
            Path(path).expanduser().read_bytes()
        )  # Pillow maps a TIFF from its path, and then never turns it
        with warnings.catch_warnings(), Image.open(content) as opened:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened.load()  # turns a TIFF
            picture = ImageOps.exif_transpose(opened)
            if picture.mode in ("I", "F"):
                raise ValueError(f"its pixels are of type {picture.mode}, whose range is not known")
            if picture.mode.startswith("I;16"):
                picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
            solid = picture.convert("RGBA")
    except Exception as problem:  # a damaged file can raise almost anything
        raise UsageError(f"'{path}' cannot be read as a picture ({problem}): name a PNG, JPEG or WebP file.") from None
    rgb = Image.alpha_composite(Image.new("RGBA", solid.size, "white"), solid).convert("RGB")
    side = study.prepared.manifest.image_size
    fitted = np.asarray(ImageOps.fit(rgb, (side, side), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    return take_centres(torch.from_numpy(fitted.copy()), study.setting.net.image_size).numpy()


def layer_answers(network: LayeredNet, image: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """What each layer answers to an image, uint8 3 x H x H: float32 units x h x w by layer, full layers with one place.

    The last layer's are the logits. A transformer's tokens are at the places of their patches; its class token is left
    out, as it has none.
    """
    inputs = network.to_input(network.held(torch.from_numpy(image)[None]), torch.float32)
    return {layer: maps[0].numpy() for layer, maps in _maps(network, inputs)}


def favourites(network: LayeredNet, images: Tensor, layers: Collection[str]) -> pd.DataFrame:
    """The BEST images of every unit of these layers, best first, with the patch of the image that the unit sees.

    images: uint8 N x 3 x H x H. Columns: layer, unit; answer, the highest of the unit's map; image, 0..N-1; left, top,
    right, bottom of the patch and side of a whole one, in pixels; least answer to any image, and spread, the standard
    deviation of all. Of equal answers the first image, and the first place in it, is taken. Raises UsageError for an
    unknown layer.
    """
    if not layers or (unknown := [layer for layer in layers if layer not in network.layers]):
        named = f"'{unknown[0]}'" if layers else "nothing"
        raise UsageError(f"{named} is no layer of {network.spec.name}: choose {', '.join(network.layers)}.")
    found: dict[str, list[tuple[Tensor, Tensor]]] = {layer: [] for layer in layers}
    for batch in images.split(EVALUATION_BATCH):
        for layer, maps in _maps(network, network.to_input(network.held(batch), torch.float32)):
            if layer in found:
                found[layer].append(maps.flatten(2).max(dim=2))  # the first of equals
    fields = _fields(network, images.shape[-1])
    tables = []
    for layer, parts in found.items():
        answers, places = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
        tables.append(_ranked(answers, places, fields[layer]).assign(layer=layer))
    return pd.concat(tables, ignore_index=True)


def _ranked(answers: NDArray[np.float32], places: NDArray[np.int64], fields: NDArray[np.int64]) -> pd.DataFrame:
    """The rows of one layer, from the answers and places of images x units, and the pixels that each row sees."""
    best = np.argsort(-answers, axis=0, kind="stable")[:BEST]
    down, across = (fields[place] for place in divmod(np.take_along_axis(places, best, axis=0), len(fields)))
    columns = {
        "unit": np.arange(answers.shape[1]), "answer": np.take_along_axis(answers, best, axis=0), "image": best,
        "left": across[..., 0], "top": down[..., 0], "right": across[..., 1], "bottom": down[..., 1],
        "side": np.ptp(fields, axis=1).max(), "least": answers.min(axis=0), "spread": answers.std(axis=0),
    }  # fmt: skip
    return pd.DataFrame({name: np.broadcast_to(values, best.shape).T.ravel() for name, values in columns.items()})


@torch.no_grad()
def _maps(network: LayeredNet, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The maps of every layer, N x units x h x w."""
    for depth, layer in enumerate(network.layers):
        x = maps = network(x, after=depth, until=depth + 1)
        if x.ndim == 3:  # tokens
            maps = x[:, 1:].mT.unflatten(2, (math.isqrt(x.shape[1] - 1), -1))
        yield layer, maps if maps.ndim == 4 else maps[:, :, None, None]


def _fields(network: LayeredNet, size: int) -> dict[str, NDArray[np.int64]]:
    """By layer: the first pixel that each row of its maps sees, and the last plus one, rows x 2; columns see the same.

    In each of `size` images another row of pixels is not a number, and so is all that sees it.
    """
    probes = torch.zeros(size, 3, size, size)
    probes[range(size), :, range(size)] = math.nan
    plain = copy(network)
    vars(plain)["ways"] = ()  # folding would let filters see the zeros beside them
    seen = {layer: maps.isnan().any(dim=1).any(dim=2).numpy() for layer, maps in _maps(plain, probes)}
    return {layer: np.stack([by.argmax(0), size - by[::-1].argmax(0)], axis=1) for layer, by in seen.items()}
