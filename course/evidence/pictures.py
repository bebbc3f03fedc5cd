"""Every figure of the paper and the ledger, drawn from the tables of the studies."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from course import figures as course_figures
from course.evidence.authors import authors_table
from course.evidence.claims import Evidence, authors_evidence, ledger
from transferkit import figures
from transferkit.results import layers_of
from transferkit.treatments import LAYERS, nearest_depth, plan

DIAGRAM = ("B3B", "B3B+", "A3B", "A3B+", "R3B")
Picture = tuple[str, Figure, str]  # name, figure, description
CONVERGENCE_N = 5  # a chop point at which both frozen and fine-tuned networks were trained on every split


def write_pictures(evidence: Evidence, folder: Path) -> tuple[Path, ...]:
    """Draw whatever the tables allow into `folder`, each picture atomically and with its description."""
    written = []
    for name, figure, words in _pictures(evidence):
        written.append(folder / f"{name}.png")
        figures.save(figure, written[-1], words)
    return tuple(written)


def _pictures(evidence: Evidence) -> Iterator[Picture]:
    diagram = plan("random0", [0], DIAGRAM)
    yield "figure1", figures.draw_treatments(diagram), figures.describe_treatments(diagram)
    if evidence.similar is not None:
        yield from _of_similar(evidence.similar)
    if evidence.epochs is not None:
        yield from _of_epochs(evidence.epochs)
    if evidence.similar is not None and evidence.dissimilar is not None:
        yield from _of_splits(evidence.similar, evidence.dissimilar, evidence.apart)
    yield from further_pictures(evidence)
    ours, theirs = ledger(evidence), ledger(authors_evidence(), published=True)
    yield "claims", course_figures.draw_ledger(ours, theirs), course_figures.describe_ledger(ours, theirs)


def further_pictures(evidence: Evidence) -> Iterator[Picture]:
    """What the further studies show, of those that are done: sizes of the target set, random filters, the dial."""
    if evidence.sizes is not None:
        yield from _of_sizes(evidence.sizes)
    if evidence.plateau is not None:
        data, classes = _data(evidence.plateau), _classes(evidence.plateau)
        words = course_figures.describe_scaling(evidence.plateau, data, classes=classes)
        yield "plateau", course_figures.draw_scaling(evidence.plateau, data, classes=classes), words
    if evidence.dial is not None:
        data = _data(evidence.dial)
        yield (
            "dial",
            course_figures.draw_distance(evidence.dial, data),
            course_figures.describe_distance(evidence.dial, data),
        )


def _of_similar(table: pd.DataFrame) -> Iterator[Picture]:
    data, classes = _data(table), _classes(table)
    authors = authors_table("figure2") if layers_of(table) == LAYERS else None  # an n of theirs is another depth
    words = figures.describe_figure2(table, data, authors=authors)
    yield "figure2", figures.draw_figure2(table, data, authors=authors), words
    words = course_figures.describe_losses(table, data, classes=classes)
    yield "losses", course_figures.draw_losses(table, data, classes=classes), words


def _of_epochs(log: pd.DataFrame) -> Iterator[Picture]:
    data = _data(log)
    yield "dip", course_figures.draw_dip(log, data), course_figures.describe_dip(log, data)
    n = nearest_depth(CONVERGENCE_N, layers_of(log))
    yield (
        "convergence",
        course_figures.draw_convergence(log, data, n),
        course_figures.describe_convergence(log, data, n),
    )


def _of_splits(similar: pd.DataFrame, dissimilar: pd.DataFrame, apart: pd.DataFrame | None) -> Iterator[Picture]:
    own = () if apart is None else (apart[apart["split"].str.startswith("apart")],)  # the others are there already
    both = pd.concat((similar, *own, dissimilar), ignore_index=True)
    parts = [authors_table(name) for name in ("figure2", "figure3-natural", "figure3-random")]
    authors = pd.concat(parts, ignore_index=True) if layers_of(both) == LAYERS else None
    data, classes = _data(both), _classes(similar)
    words = figures.describe_figure3(both, data, classes=classes)
    yield "figure3", figures.draw_figure3(both, data, classes=classes, authors=authors), words


def _of_sizes(table: pd.DataFrame) -> Iterator[Picture]:
    data, classes, authors = _data(table), _classes(table), authors_table("supplement")
    yield "sizes", course_figures.draw_sizes(table, data), course_figures.describe_sizes(table, data)
    words = course_figures.describe_images_per_class(table, data, classes=classes)
    yield "supplement", course_figures.draw_images_per_class(table, data, classes=classes, authors=authors), words


def _data(table: pd.DataFrame) -> str:
    return ", ".join(sorted(table["data"].unique()))


def _classes(table: pd.DataFrame) -> int:
    """Of a half; the commonest where halves differ."""
    return int(table["classes"].mode().iloc[0])
