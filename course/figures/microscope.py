"""The Gabor microscope as a picture, for where no kernel is running."""

from matplotlib.figure import Figure

from transferkit.figures import Picture
from transferkit.figures.style import INK, QUIET, SMALL_SIZE, TEXT_SIZE, TITLE_SIZE
from transferkit.widgets.film import Film, History, compare, in_words


def microscope_picture(history: History, number: int, title: str = "") -> Picture:
    """What the microscope shows of one filter, fitted at the last epoch; 7 x 3 inches.

    history is as for `microscope`. Raises UsageError as there, and for a filter that does not exist.
    """
    film = Film(history)
    fit, seen = film.fit(film.last, number), film.weights[film.last][number]
    beside = compare(seen, fit.gabor)
    figure = Figure(figsize=(7.0, 3.0), facecolor="white", layout="constrained")
    figure.suptitle(title or f"Filter {number} of conv1", x=0.012, ha="left", fontsize=TITLE_SIZE, color=INK)
    names = (f"filter {number}, epoch {film.last}", "the Gabor nearest to it", "what is left")
    for ax, values, name in zip(figure.subplots(1, 3), (seen, beside.drawn, beside.left), names, strict=True):
        ax.imshow(film.pixels(number, values), interpolation="nearest")
        ax.set_title(name, fontsize=TEXT_SIZE, color=INK)
        ax.set_axis_off()
    numbers, gabor = beside.in_words(fit.kind), in_words(fit.gabor)
    figure.supxlabel(f"{numbers}\n{gabor}", fontsize=SMALL_SIZE, color=QUIET)
    opening = f"Filter {number} of conv1 at epoch {film.last}, the Gabor nearest to it, and what is left, on one scale"
    return Picture(figure, f"{opening}: {numbers}. The Gabor: {gabor}.", width=600)
