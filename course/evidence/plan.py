"""Which networks the claims need: named studies of parts, each part the runs of one split under one setting."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from transferkit.config import RandomFilters, Recipe, Setting
from transferkit.errors import UsageError
from transferkit.splits import RANDOM_SPLITS
from transferkit.treatments import CHOP_POINTS, LAYERS, Run, Treatment, grid, nearest_depth, plan, same_depth

_FROZEN: tuple[Treatment, ...] = ("BnB", "AnB", "RnB")
_TUNED: tuple[Treatment, ...] = ("BnB+", "AnB+")
_ODD = (1, 3, 5, 7)  # a fine-tuned network costs as much as a base, and its accuracy hardly changes with n

_SIZES = {40: 3, 10: 8}  # images per class, and how many times the recipe's epochs


@dataclass(frozen=True)
class Part:
    """The runs of one split and some seeds, with what differs from the preset's recipe.

    Without `labels`, the whole grid. `bases` adds those that the runs need. Training takes `epochs_times` the
    recipe's epochs; `images_per_class` limits the target's images, while the bases to copy from keep their whole half;
    `learning_rate` is the peak.
    """

    split: str
    seeds: tuple[int, ...] = (0,)
    labels: tuple[str, ...] = ()
    bases: bool = True
    epochs_times: int = 1
    images_per_class: int | None = None
    learning_rate: float | None = None
    random_filters: RandomFilters = "he"
    layers: tuple[str, ...] = LAYERS

    def runs(self) -> tuple[Run, ...]:
        """The networks of this part, each after the base it copies from."""
        planned = plan(self.split, self.seeds, self.labels, self.layers)
        return tuple(run for run in planned if self.bases or run.source is not None)

    def setting(self, usual: Setting) -> Setting:
        """The setting of this part, from the usual one of its study."""
        recipe: Recipe = replace(
            usual.recipe,
            epochs=usual.recipe.epochs * self.epochs_times,
            images_per_class=self.images_per_class or usual.recipe.images_per_class,
            learning_rate=self.learning_rate or usual.recipe.learning_rate,
            random_filters=self.random_filters,
        )
        return replace(usual, recipe=recipe, source_recipe=usual.recipe if self.images_per_class else None)


@dataclass(frozen=True)
class StudyPlan:
    """One study: the networks behind one table, and the question it answers."""

    name: str
    data: str
    question: str
    parts: tuple[Part, ...]


def studies(data: str = "photos", splits: int = 4, *, grouped: bool = True) -> tuple[StudyPlan, ...]:
    """The studies of the evidence, for the quick preset on two CPU cores; later ones reuse networks of earlier ones.

    All are on `data` but the dial, which needs classes of known parts. `splits` is the number of random splits of
    `similar` and `longer`; the others keep theirs. Without `grouped` classes there is no study `apart`. Raises
    UsageError for fewer than the paper's four.
    """
    if splits < len(RANDOM_SPLITS):
        raise UsageError(f"{splits} splits are too few for an interval: give {len(RANDOM_SPLITS)} or more.")
    frozen, tuned = labels(_FROZEN), labels(_TUNED, _ODD)
    randoms = tuple(f"random{number}" for number in range(splits))
    similar = [Part("random0", (0, 1)), Part("random1", (0, 1))]
    similar += [Part(split, labels=frozen + tuned) for split in randoms[2:]]
    known = (
        StudyPlan("similar", data, "What transfers between similar halves?", tuple(similar)),
        StudyPlan(
            "dissimilar", data, "What transfers between man-made and natural things?",
            (Part("natural", (0, 1), frozen + tuned), Part("natural", (2,), frozen)),
        ),
        StudyPlan(
            "apart", data, "Is it the kind of things, or that the halves share no photograph?",
            _apart(labels(("BnB", "AnB"), _ODD)),
        ),
        StudyPlan("longer", data, "Does training from scratch for longer do as well?", _longer(randoms)),
        StudyPlan("plateau", data, "Are random filters bad, or badly scaled?", _plateau(randoms[:2], CHOP_POINTS)),
        StudyPlan("sizes", data, "Freeze or fine-tune, on how many images?", _sizes(randoms[:3], _SIZES, _ODD)),
        StudyPlan(
            "dial", "shapeworld", "Does transfer follow the distance of the halves?",
            _dial(("0", "0.25", "0.5", "0.75", "1"), labels(("AnB",)) + labels(("BnB",), (3, 5, 7))),
        ),
    )  # fmt: skip
    return tuple(study for study in known if grouped or study.name != "apart")


def of_layers(known: Sequence[StudyPlan], layers: tuple[str, ...]) -> tuple[StudyPlan, ...]:
    """The same studies on a network of these layers, chopped as deep; without those of published random filters."""
    if layers == LAYERS:
        return tuple(known)
    published = ("plateau",)
    return tuple(
        replace(study, parts=tuple(_as_deep(part, layers) for part in study.parts))
        for study in known
        if study.name not in published
    )


def _as_deep(part: Part, layers: tuple[str, ...]) -> Part:
    asked = {run.label: run for run in grid("any", 0)}
    wanted = {(asked[label].treatment, n) for label in part.labels for n in _near(asked[label].n, layers)}
    bases = tuple(label for label in part.labels if asked[label].source is None)
    chopped = tuple(run.label for run in grid("any", 0, layers) if run.n and (run.treatment, run.n) in wanted)
    return replace(part, labels=bases + chopped, layers=layers)


def _near(n: int, layers: tuple[str, ...]) -> tuple[int, ...]:
    """The chop points as deep as this one of the eight layers', or, where a network has none, the nearest."""
    return same_depth([n], layers) or (nearest_depth(n, layers),)


def smoke_studies(data: str = "photos") -> tuple[StudyPlan, ...]:
    """The same studies with a handful of networks each, all on one data set: the whole path, no science."""
    few = labels(("AnB", "BnB", "AnB+"), (5,))
    plateau, sizes = _plateau(("random0",), (3,)), _sizes(("random0",), {12: 1, 8: 1}, (5,))
    parts = {
        "similar": (Part("random0", labels=few), Part("random1", labels=few)),
        "dissimilar": (Part("natural", labels=labels(("AnB", "RnB"), (5,))),),
        "longer": _longer(("random0",)),
        "plateau": plateau,
        "sizes": sizes,
    }
    return tuple(replace(study, parts=parts[study.name]) for study in studies(data) if study.name in parts)


def freezing_study(data: str, split: str, seed: int, n: int, *, smoke: bool = False) -> StudyPlan:
    """A few networks that ask what `sizes` and `longer` ask, in minutes: both targets, one split, seed and n.

    On all images: base, AnB, AnB+, BnB+ and RnB, and bases trained twice as long. On few: base, AnB, AnB+ and RnB,
    at the quick preset networks that `sizes` shares. Raises UsageError for an n that is not 1 to 7.
    """
    if n not in CHOP_POINTS:
        raise UsageError(f"n={n} layers cannot be copied: n is 1 to {len(CHOP_POINTS)}.")
    few = 8 if smoke else min(_SIZES)
    parts = (
        Part(split, (seed,), labels(("AnB", "AnB+", "BnB+", "RnB"), (n,))),
        Part(
            split, (seed,), labels(("AnB", "AnB+", "RnB"), (n,)),
            images_per_class=few, epochs_times=1 if smoke else _SIZES[few],
        ),
        Part(split, (seed,), ("baseA", "baseB"), epochs_times=2),
    )  # fmt: skip
    return StudyPlan("freezing", data, "Freeze or fine-tune, and is it the copy or the training?", parts)


def choose_studies(known: Sequence[StudyPlan], names: Sequence[str]) -> tuple[StudyPlan, ...]:
    """Those of the studies that are named, in their order; all without names. Raises UsageError for an unknown name."""
    for name in names:
        if name not in [study.name for study in known]:
            raise UsageError(f"'{name}' is no study: choose {', '.join(study.name for study in known)}.")
    return tuple(study for study in known if not names or study.name in names)


def labels(treatments: Iterable[Treatment], ns: Iterable[int] = CHOP_POINTS) -> tuple[str, ...]:
    """The labels of these treatments at these n, for both targets."""
    wanted, points = set(treatments), set(ns)
    return tuple(run.label for run in grid("any", 0) if run.treatment in wanted and run.n in points)


def _longer(splits: Iterable[str]) -> tuple[Part, ...]:
    """Bases that see as many images as base and fine-tuned network together."""
    return tuple(Part(split, labels=("baseA", "baseB"), epochs_times=2) for split in splits)


def _apart(chosen: tuple[str, ...]) -> tuple[Part, ...]:
    """Halves that share no photograph, and beside them, in one table, those that do and those of different kinds."""
    drawn = [f"{kind}{number}" for kind in ("random", "apart") for number in range(len(RANDOM_SPLITS))]
    return (*(Part(split, labels=chosen) for split in drawn), Part("natural", (0, 1, 2), chosen))


def _plateau(splits: Sequence[str], ns: Iterable[int]) -> tuple[Part, ...]:
    random = labels(("RnB",), ns)
    scaled = [Part(split, labels=random) for split in splits]
    published = [Part(split, labels=random, bases=False, random_filters="published") for split in splits]
    return (*scaled, *published)


def _sizes(splits: Sequence[str], epochs_times: dict[int, int], ns: Iterable[int]) -> tuple[Part, ...]:
    """`epochs_times` by images per class: fewer images are seen more often, or nothing would be learned from them."""
    chosen = labels(("AnB", "AnB+"), ns)
    whole = [Part(split, labels=chosen) for split in splits]
    limited = [
        Part(split, labels=chosen, images_per_class=size, epochs_times=times)
        for size, times in epochs_times.items()
        for split in splits
    ]
    return (*whole, *limited)


def _dial(overlaps: Iterable[str], chosen: tuple[str, ...]) -> tuple[Part, ...]:
    return tuple(Part(f"overlap-{overlap}", labels=chosen) for overlap in overlaps)
