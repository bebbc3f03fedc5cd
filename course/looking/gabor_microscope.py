"""The Gabor microscope: HTML that computes and draws in the page (`gabor_microscope.js`), and so never needs a kernel.

A widget of Jupyter would need one, or a state that JupyterLab does not save by itself: opened again, a notebook would
show an error in its place.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.looking.kinds import LETTERS
from transferkit.errors import UsageError
from transferkit.gabor import FilterFit, fit_filters
from transferkit.gabor.tiles import filter_tiles, order_filters

SCRIPT = Path(__file__).with_suffix(".js")
MOST_EPOCHS = 12  # that a page holds; all of 32 would make it three times as large
LARGEST = 2**15 - 1  # a weight is held as a share of its filter's largest, in 16 bits
_PREFERRED = {"gabor": 2, "edge": 1}  # to open on: what the microscope was made for

History = Mapping[int, NDArray[np.floating]]


@dataclass(frozen=True)
class Microscope:
    """A microscope that shows itself in a notebook; `data` is what `gabor_microscope.js` reads, as JSON can hold it."""

    data: Mapping[str, Any]

    def _repr_html_(self) -> str:
        """A piece of a page that needs neither a kernel nor a network. It looks for its place by a name."""
        held = json.dumps(self.data).replace("<", "\\u003c")
        name = hashlib.sha256(held.encode()).hexdigest()[:16]
        return (
            f'<div data-microscope="{name}"></div>\n<script type="module">\n{SCRIPT.read_text()}'
            f"for (const place of document.querySelectorAll('[data-microscope=\"{name}\"]:empty')) {{\n"
            f"  show(place, {held});\n}}\n</script>"
        )

    def __repr__(self) -> str:
        return f"A Gabor microscope over {len(self.data['kinds'])} filters, for a page that shows HTML."


def microscope(history: History, title: str = "") -> Microscope:
    """The Gabor microscope: choose a filter, set a Gabor beside it, see what that leaves unexplained, let it fit.

    history: epoch -> conv1's weights, float filters x 3 x k x k; the last epoch is the trained network's. With one
    epoch there is no slider over time; of more than MOST_EPOCHS some are left out, most of them late ones. It opens on
    the filter that a Gabor explains best. The sheet's order, the kinds and the fits are of the last epoch; the residual
    and R2 are of the sliders' Gabor. Raises UsageError for an empty or uneven history, and as `gabor.fit_filter`.

    >>> history = study.store.history(tk.parse_run("baseA", "random0", 0), study.setting)
    >>> tk.microscope(history)
    A Gabor microscope over 32 filters, for a page that shows HTML.
    """
    if len({weights.shape for weights in history.values()}) != 1:
        shapes = [weights.shape for weights in history.values()]
        raise UsageError(f"a history of the shapes {shapes} is no film: give one epoch or more, all of one shape.")
    epochs = _shown(sorted(history))
    film = np.stack([history[epoch] for epoch in epochs]).astype(np.float64)
    order = order_filters(filter_tiles(film[-1]))  # which refuses what is no filter
    fits = fit_filters(film[-1])
    scales = np.abs(film).max(axis=(0, 2, 3, 4))
    shares = film / np.where(scales > 0, scales, 1)[:, None, None, None]
    return Microscope(
        {
            "title": title, "side": film.shape[-1], "epochs": epochs, "order": order.tolist(),
            "start": max(range(len(fits)), key=lambda number: _rank(fits[number])), "letters": dict(LETTERS),
            "kinds": [fit.kind for fit in fits], "fits": [astuple(fit.gabor) for fit in fits],
            "scales": scales.tolist(),
            "weights": b64encode(np.round(LARGEST * shares).astype("<i2").tobytes()).decode(),
        }
    )  # fmt: skip


def _shown(epochs: list[int]) -> list[int]:
    """At most MOST_EPOCHS of them, with the first and the last, close together at first: then most happens."""
    if len(epochs) <= MOST_EPOCHS:
        return epochs
    places = np.geomspace(1, len(epochs), MOST_EPOCHS)
    return [epochs[place] for place in sorted({round(place) - 1 for place in places})]


def _rank(fit: FilterFit) -> tuple[int, float]:
    return _PREFERRED.get(fit.kind, 0), fit.r2
