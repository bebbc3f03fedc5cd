"""Every figure of the paper and the ledger, drawn from the tables of the studies."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from course import figures as course_figures
from course.evidence.authors import authors_table
from course.evidence.claims import OF_THE_PAPER, Evidence, authors_evidence, judge_by_length, ledger
from course.evidence.plan import nearest_depth
from course.evidence.steps import steps
from transferkit import figures
from transferkit.figures import Picture
from transferkit.results import have_learned, layers_of
from transferkit.splits import is_of_kind
from transferkit.treatments import LAYERS, plan

DIAGRAM = ("B3B", "B3B+", "A3B", "A3B+", "R3B")
CONVERGENCE_N = 5  # a chop point at which both frozen and fine-tuned networks were trained on every split

Named = Iterator[tuple[str, Picture]]


def write_pictures(evidence: Evidence, folder: Path) -> tuple[Path, ...]:
    """Draw whatever the tables allow into `folder`, each picture atomically and with its description."""
    return tuple(picture.save(folder / f"{name}.png") for name, picture in _pictures(evidence))


def _pictures(evidence: Evidence) -> Named:
    yield "figure1", figures.figure1(plan("random0", [0], DIAGRAM))
    if evidence.similar is not None:
        yield from _of_similar(evidence.similar, evidence.longer)
    if evidence.epochs is not None:
        data, n = _data(evidence.epochs), nearest_depth(CONVERGENCE_N, layers_of(evidence.epochs))
        yield "dip", course_figures.dip(evidence.epochs, data)
        yield "convergence", course_figures.convergence(evidence.epochs, data, n)
    if evidence.similar is not None and evidence.dissimilar is not None:
        yield "figure3", _figure3(evidence.similar, evidence.dissimilar, evidence.apart)
    if (table := evidence.lengths) is not None:
        yield "lengths", course_figures.lengths(table, judge_by_length(table, evidence.pictures), _data(table))
    yield from further_pictures(evidence)
    ours, theirs = ledger(evidence), ledger(authors_evidence(), published=True)
    papers = ours["question"].isin(OF_THE_PAPER)
    yield "claims", course_figures.ledger(ours[papers], theirs, "The paper's claims, tested")
    yield "claims-further", course_figures.ledger(ours[~papers], title="Claims about first layers, and after 2014")


def further_pictures(evidence: Evidence) -> Named:
    """What the further studies show, where they are done: sizes of the target set, random filters, the dial, conv1."""
    if (table := evidence.sizes) is not None:
        data, authors = _data(table), authors_table("supplement")
        yield "sizes", course_figures.sizes(table, data)
        yield "supplement", course_figures.images_per_class(table, data, classes=_classes(table), authors=authors)
    if (table := evidence.plateau) is not None:
        yield "plateau", course_figures.scaling(table, _data(table), classes=_classes(table))
    if (table := evidence.dial) is not None:
        yield "dial", course_figures.distance(table, _data(table))
    if made := [table for table in (evidence.made, evidence.made_dial) if table is not None]:
        yield "made", course_figures.made({_data(table): table for table in made})


def _of_similar(table: pd.DataFrame, longer: pd.DataFrame | None) -> Named:
    authors = authors_table("figure2") if layers_of(table) == LAYERS else None  # an n of theirs is another depth
    yield "figure2", figures.figure2(table, _data(table), authors=authors, learned=have_learned(table, longer))
    shapes = {f"these networks ({_data(table)})": steps(table)}
    if authors is not None:
        shapes["the authors' networks (ImageNet)"] = steps(authors)
    if all(len(shape) for shape in shapes.values()):
        yield "steps", course_figures.steps(shapes)
    yield "losses", course_figures.losses(table, _data(table), classes=_classes(table))


def _figure3(similar: pd.DataFrame, dissimilar: pd.DataFrame, apart: pd.DataFrame | None) -> Picture:
    own = (
        () if apart is None else (apart[apart["split"].map(lambda split: is_of_kind(split, "apart"))],)
    )  # the others are there already
    both = pd.concat((similar, *own, dissimilar), ignore_index=True)
    parts = [authors_table(name) for name in ("figure2", "figure3-natural", "figure3-random")]
    authors = pd.concat(parts, ignore_index=True) if layers_of(both) == LAYERS else None
    return figures.figure3(both, _data(both), classes=_classes(similar), authors=authors)


def _data(table: pd.DataFrame) -> str:
    return ", ".join(sorted(table["data"].unique()))


def _classes(table: pd.DataFrame) -> int:
    """Of a half; the commonest where halves differ."""
    return int(table["classes"].mode().iloc[0])
