"""The Gabor microscope in Jupyter, of core ipywidgets: a sheet to choose from, sliders, and what they leave over."""

import io
from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from transferkit.errors import UsageError
from transferkit.gabor import Gabor
from transferkit.gabor.table import KINDS, LETTERS
from transferkit.gabor.tiles import order_filters
from transferkit.widgets.film import Film, History, compare, in_words

if TYPE_CHECKING:
    from ipywidgets import Widget

TILE, LARGE = 44, 192  # sides, CSS pixels


def load_ipywidgets(wanted_by: str) -> Any:
    """The module ipywidgets. Raises UsageError, naming what needs it, where it is not installed."""
    try:
        import ipywidgets
    except ImportError as error:
        raise UsageError(f"{wanted_by} needs ipywidgets: install transferkit with the extra `lessons`.") from error
    return ipywidgets


def microscope(history: History, title: str = "") -> "Widget":
    """The Gabor microscope: choose a filter, set a Gabor beside it, see what that leaves unexplained, let it fit.

    history: epoch -> conv1's weights, float filters x 3 x k x k; the last epoch is the trained network's. With one
    epoch there is no slider over time. The sheet's order and letters are of the last epoch; the kind in words is
    of the chosen filter's own fit at the chosen epoch, the residual and R2 are of the sliders' Gabor. That line has
    the class "microscope-residual".
    Raises UsageError for an empty or uneven history, as `gabor.fit_filter`, and where ipywidgets is not installed.

    >>> history = study.store.history(tk.parse_run("baseA", "random0", 0), study.setting)
    >>> type(tk.microscope(history)).__name__
    'VBox'
    """
    return _Microscope(Film(history)).build(title)


class _Microscope:
    """The widgets and the number of the chosen filter; every action of the user ends in one call of `draw`."""

    def __init__(self, film: Film) -> None:
        self.kit = load_ipywidgets("the microscope")
        self.film = film
        self.number = int(order_filters(film.tiles[film.last])[0])
        self.tiles = [self.kit.HTML() for _ in range(len(film))]
        self.buttons = [self._button(number) for number in range(len(film))]
        self.sliders = {name: self._slider(*limits) for name, limits in _limits(film).items()}
        self.large, self.line = self.kit.HTML(), self.kit.HTML().add_class("microscope-residual")
        epochs = [("0, untrained" if epoch == 0 else str(epoch), epoch) for epoch in film.epochs]
        self.epoch = self.kit.SelectionSlider(options=epochs, value=film.last, description="epoch")
        self.epoch.observe(self.turn, "value")

    def build(self, title: str) -> "Widget":
        """The whole view; the Tab key goes through it from the epoch over the sheet to Fit and the sliders."""
        kit, box = self.kit, self.kit.Layout
        fit = kit.Button(description="Fit", tooltip="Move the sliders to the Gabor nearest to this filter")
        fit.on_click(self.load)
        self.turn()
        self.choose(self.number)
        controls = kit.GridBox(
            list(self.sliders.values()), layout=box(grid_template_rows="repeat(6, auto)", grid_auto_flow="column")
        )
        right = kit.VBox(
            [self.large, kit.HBox([fit, self.line], layout=box(align_items="center", grid_gap="12px")), controls]
        )
        body = kit.HBox([self._sheet(), right], layout=box(flex_flow="row wrap", grid_gap="8px 12px"))
        heading = [kit.HTML(f"<b>{escape(title)}</b>")] if title else []
        time = [self.epoch] if len(self.film.epochs) > 1 else []
        return kit.VBox([*heading, *time, body], layout=box(max_width="1100px"))

    def choose(self, number: int) -> None:
        """Look at this filter, starting from its fit."""
        self.buttons[self.number].button_style = ""
        self.number = number
        self.buttons[number].button_style = "primary"
        self.load()

    def load(self, _: object = None) -> None:
        """Move all sliders to the fit of the chosen filter at the chosen epoch, and draw once."""
        gabor = self.film.fit(self.epoch.value, self.number).gabor
        for name, slider in self.sliders.items():
            slider.unobserve(self.draw, "value")
            if name == "amplitude":  # where only a flank of the wave is seen, its height is not
                slider.max = max(slider.max, gabor.amplitude)
            slider.value = getattr(gabor, name)
            slider.observe(self.draw, "value")
        self.draw()

    def turn(self, _: object = None) -> None:
        """Show the chosen epoch; the sliders stay, so that the filter is seen to grow into their Gabor."""
        for number, (tile, pixels) in enumerate(zip(self.tiles, self.film.tiles[self.epoch.value], strict=True)):
            tile.value = _img(pixels, TILE, f"filter {number} at epoch {self.epoch.value}")
        self.draw()

    def draw(self, _: object = None) -> None:
        """Show the chosen filter beside the Gabor of the sliders, and tell the residual."""
        gabor, epoch, number = self.gabor(), self.epoch.value, self.number
        seen = self.film.weights[epoch][number]
        beside = compare(seen, gabor)
        names = (f"filter {number}, epoch {epoch}", "Gabor of the sliders", "what is left")
        alts = (names[0], f"Gabor: {in_words(gabor)}", f"what is left: {beside.residual:#.3g} RMS")
        shown = zip((seen, beside.drawn, beside.left), names, alts, strict=True)
        pictures = [(_img(self.film.pixels(number, values), LARGE, alt), name) for values, name, alt in shown]
        beside_each_other = "".join(
            f'<figure style="margin:0 12px 0 0">{picture}<figcaption>{name}</figcaption></figure>'
            for picture, name in pictures
        )
        self.large.value = f'<div style="display:flex">{beside_each_other}</div>'
        self.line.value = f"<b>{beside.in_words(self.film.fit(epoch, number).kind)}</b>"

    def gabor(self) -> Gabor:
        """The Gabor of the sliders; its colour is brought to length 1, and no colour at all draws nothing."""
        values = {name: float(slider.value) for name, slider in self.sliders.items()}
        axis = np.array([values.pop(name) for name in ("red", "green", "blue")])
        red, green, blue = (axis / (np.linalg.norm(axis) or 1)).tolist()
        return Gabor(**values, red=red, green=green, blue=blue)

    def _button(self, number: int) -> Any:
        fit = self.film.fit(self.film.last, number)
        button = self.kit.Button(
            description=f"{number} {LETTERS[fit.kind]}",
            tooltip=f"filter {number}: {fit.kind}, R² {fit.r2:.2f}",
            layout=self.kit.Layout(width=f"{TILE + 4}px", height="22px", padding="0", margin="0"),
        )
        button.on_click(lambda _: self.choose(number))
        return button

    def _slider(self, description: str, lowest: float, highest: float, step: float, digits: str) -> Any:
        kind = self.kit.FloatLogSlider if description in _BY_FACTORS else self.kit.FloatSlider
        slider = kind(min=lowest, max=highest, step=step, description=description, readout_format=digits)
        slider.layout.width, slider.style.description_width = (
            ("325px", "125px") if len(description) > 6 else ("285px", "50px")
        )
        slider.observe(self.draw, "value")
        return slider

    def _sheet(self) -> Any:
        box, column = self.kit.Layout, f"{TILE + 4}px"
        order = order_filters(self.film.tiles[self.film.last])
        cell = box(width=column, align_items="center", overflow="hidden")
        cells = [self.kit.VBox([self.tiles[number], self.buttons[number]], layout=cell) for number in order]
        columns = f"repeat(6, {column})"
        grid = box(grid_template_columns=columns, grid_gap="6px 4px", grid_auto_rows="max-content", flex="none")
        words = ", ".join(f"{LETTERS[kind]} {kind}" for kind in KINDS)
        note = f"At epoch {self.film.last}: {words}.<br>Mid-grey is a weight of zero."
        small = self.kit.HTML(f'<div style="line-height:1.4">{note}</div>')
        # as high as what stands beside it, with room for the scroll bar
        scrolled = box(max_height="464px", overflow="hidden auto", padding="0 16px 0 0")
        return self.kit.VBox([self.kit.VBox([self.kit.GridBox(cells, layout=grid)], layout=scrolled), small])


_BY_FACTORS = ("wavelength (px)", "size (px)", "aspect (ratio)")


def _limits(film: Film) -> dict[str, tuple[str, float, float, float, str]]:
    """Per number of a Gabor its slider: name, ends and step (exponents of 10 in _BY_FACTORS), digits; holds any fit."""
    side = film.tiles[film.last].shape[1]
    highest = 3 * max(float(np.abs(weights).max()) for weights in film.weights.values()) or 1.0
    return {
        "theta_deg": ("orientation (deg)", 0, 180, 1, ".0f"),
        "wavelength_px": ("wavelength (px)", np.log10(2), np.log10(10 * side), 0.01, ".1f"),
        "phase_deg": ("phase (deg)", 0, 360, 1, ".0f"),
        "size_px": ("size (px)", np.log10(0.4), np.log10(2 * side), 0.01, ".1f"),
        "aspect": ("aspect (ratio)", -np.log10(5 * side), np.log10(5 * side), 0.01, ".2f"),
        "amplitude": ("amplitude (weight)", 0, highest, highest / 200, ".3f"),
        "x_px": ("x (px)", -side / 2, side / 2, 0.1, ".1f"),
        "y_px": ("y (px)", -side / 2, side / 2, 0.1, ".1f"),
        "red": ("red", -1, 1, 0.02, ".2f"),
        "green": ("green", -1, 1, 0.02, ".2f"),
        "blue": ("blue", -1, 1, 0.02, ".2f"),
    }


def _img(pixels: NDArray[np.floating], side: int, alt: str) -> str:
    """Pixels, k x k x 3 in 0..1, as a picture in HTML: sent as small as it is, enlarged by the browser."""
    buffer = io.BytesIO()
    Image.fromarray(np.round(255 * pixels).astype(np.uint8)).save(buffer, format="PNG")
    return html_picture(buffer.getvalue(), alt, f'width="{side}" height="{side}"', "image-rendering:pixelated")


def html_picture(png: bytes, alt: str, size: str = "", style: str = "max-width:100%") -> str:
    """A PNG as an <img>, its alternative text escaped; `size` are attributes, `style` is CSS."""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return f'<img src="{source}" {size} alt="{escape(alt)}" style="display:block;{style}">'
