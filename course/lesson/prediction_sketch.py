"""The picture that follows the sliders of a prediction: SVG written by hand, drawn in a millisecond."""

from html import escape

import numpy as np
from matplotlib.ticker import MaxNLocator

from course.lesson.prediction import Prediction

WIDTH, HEIGHT = 620, 300  # CSS pixels, of the drawing's own coordinates
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 12, 34
_COLOUR = "#00527f"  # as in the picture of the result
_ON_DARK = "#5aa9d6"


def sketch(prediction: Prediction, alt: str) -> str:
    """The values over their places as HTML, in the colours of the page's theme, as wide as there is room."""
    asked, count = prediction.question, len(prediction.question.places)
    step = (WIDTH - _LEFT - _RIGHT) / count
    across = [_LEFT + step * (place + 0.5) for place in range(count)]
    points = [(x, _height(prediction, value)) for x, value in zip(across, prediction.values, strict=True)]
    marks = "".join(f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"/>' for x, y in points)
    line = f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>' if asked.ordered else ""
    names = "".join(
        f'<text x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(place)}</text>'
        for x, place in zip(across, asked.places, strict=True)
    )
    return (
        f'<svg class="prediction-sketch" role="img" aria-label="{escape(alt)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'style="width:{WIDTH}px;max-width:100%;height:auto;font:12px sans-serif;'
        'color:var(--jp-ui-font-color1,#1a1a1a)" fill="currentColor">'
        f"<style>.prediction-sketch .said{{stroke:{_COLOUR};fill:none;stroke-width:2}}"
        f"[data-jp-theme-light=false] .prediction-sketch .said{{stroke:{_ON_DARK}}}</style>"
        f'{_axis(prediction)}{names}<g class="said"><g stroke-dasharray="8 4">{line}</g>{marks}</g></svg>'
    )


def _axis(prediction: Prediction) -> str:
    """The scale of the sliders on the left, and a dashed line at what somebody says who knows nothing."""
    asked = prediction.question
    ticks = MaxNLocator(nbins=8, steps=[1, 2, 5, 10]).tick_values(asked.low, asked.high)
    shown = [tick for tick in np.round(ticks, 6).tolist() if asked.low <= tick <= asked.high]
    scale = "".join(
        f'<text x="{_LEFT - 8}" y="{_height(prediction, tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        for tick in shown
    )
    middle, y = (_TOP + HEIGHT - _BOTTOM) / 2, _height(prediction, asked.naive)
    named = escape(f"{asked.measure} ({asked.unit})")
    return (
        f'<g stroke="currentColor" fill="none"><path d="M{_LEFT} {_TOP}V{HEIGHT - _BOTTOM}"/>'
        f'<path stroke-dasharray="4 3" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/></g>'
        f'{scale}<text text-anchor="middle" transform="translate(14 {middle})rotate(-90)">{named}</text>'
    )


def _height(prediction: Prediction, value: float) -> float:
    asked = prediction.question
    share = (value - asked.low) / (asked.high - asked.low)
    return HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP)
