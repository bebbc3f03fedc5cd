"""Which networks the claims need: named series, each made of bundles of runs of one split under one setting."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from transferkit.config import RandomFilters, Recipe, Setting
from transferkit.errors import UsageError
from transferkit.splits import RANDOM_SPLITS
from transferkit.treatments import CHOP_POINTS, HALVES, LAYERS, MADE, Half, Run, Treatment, grid, plan

_FROZEN: tuple[Treatment, ...] = ("BnB", "AnB", "RnB")
_TUNED: tuple[Treatment, ...] = ("BnB+", "AnB+")
_OVERLAPS = ("0", "0.25", "0.5", "0.75", "1")
_PAPERS_ONLY = ("plateau", "made", "made_dial", "after")  # series about the paper's network, or its first filters
_ODD = (1, 3, 5, 7)  # a fine-tuned network costs as much as a base, and its accuracy hardly changes with n

_SIZES: dict[int, float] = {40: 2, 10: 4}  # images per class, and by how much the recipe's epochs are multiplied
_LENGTHS = (3 / 32, 6 / 32, 12 / 32, 1, 2)  # of the recipe's epochs: at quick, 3, 6, 12, 32 and 64 of them


@dataclass(frozen=True)
class Bundle:
    """The runs of one split and some seeds, and how their recipe differs from the preset's.

    Without `labels` it is the whole grid. `bases` adds the bases that the runs need. Training takes `epochs_times`
    the recipe's epochs, rounded, and at least one. `images_per_class` limits the target's images; the bases to copy
    from keep their whole half. `learning_rate` is the peak.
    """

    split: str
    seeds: tuple[int, ...] = (0,)
    labels: tuple[str, ...] = ()
    bases: bool = True
    epochs_times: float = 1
    images_per_class: int | None = None
    learning_rate: float | None = None
    random_filters: RandomFilters = "he"
    layers: tuple[str, ...] = LAYERS

    def runs(self) -> tuple[Run, ...]:
        """The networks of this bundle, each after the base it copies from."""
        planned = plan(self.split, self.seeds, self.labels, self.layers)
        return tuple(run for run in planned if self.bases or run.source is not None)

    def setting(self, usual: Setting) -> Setting:
        """The setting of this bundle, given the usual one of its data."""
        recipe: Recipe = replace(
            usual.recipe,
            epochs=max(1, round(usual.recipe.epochs * self.epochs_times)),
            images_per_class=self.images_per_class or usual.recipe.images_per_class,
            learning_rate=self.learning_rate or usual.recipe.learning_rate,
            random_filters=self.random_filters,
        )
        return replace(usual, recipe=recipe, source_recipe=usual.recipe if self.images_per_class else None)


@dataclass(frozen=True)
class Series:
    """A named set of networks that some claims need: they fill one table and answer one question."""

    name: str
    data: str
    question: str
    parts: tuple[Bundle, ...]


def all_series(data: str = "photos", splits: int = 4, *, grouped: bool = True) -> tuple[Series, ...]:
    """All series of the evidence, sized for the preset quick on two CPU cores; later ones reuse earlier networks.

    All are on `data` except the dial, which needs classes made of known parts. `splits` is the number of random
    splits of `similar`, `longer` and `lengths`; the others have a fixed number. Classes that are not `grouped` have no
    series `apart`. Raises UsageError for fewer splits than the paper's four.
    """
    if splits < len(RANDOM_SPLITS):
        raise UsageError(f"{splits} splits are too few for an interval: give {len(RANDOM_SPLITS)} or more.")
    frozen, tuned = labels(_FROZEN), labels(_TUNED, _ODD)
    randoms = tuple(f"random{number}" for number in range(splits))
    similar = tuple(Bundle(split, labels=frozen + tuned) for split in randoms)
    known = (
        Series("similar", data, "What transfers between similar halves?", similar),
        Series(
            "dissimilar", data, "What transfers between man-made and natural things?",
            (Bundle("natural", labels=frozen + tuned), Bundle("natural", (1, 2), frozen)),
        ),
        Series(
            "apart", data, "Is it the kind of things, or that the halves share no photograph?",
            _apart(labels(("BnB", "AnB"), _ODD)),
        ),
        Series("longer", data, "Does training from scratch for longer do as well?", _longer(randoms)),
        Series("lengths", data, "What would one have concluded after other lengths of training?", _lengths(randoms)),
        Series("plateau", data, "Are random filters bad, or badly scaled?", _plateau(randoms[:2], CHOP_POINTS)),
        Series("sizes", data, "Freeze or fine-tune, on how many images?", _sizes(randoms[:3], _SIZES, _ODD)),
        Series(
            "dial", "shapeworld", "Does transfer follow the distance of the halves?",
            _dial(_OVERLAPS, labels(("AnB",), _ODD)),
        ),
        Series(
            "made", data, "Are Gabors enough for conv1?",
            tuple(Bundle(split, labels=_made(HALVES)) for split in RANDOM_SPLITS),
        ),
        Series(
            "made_dial", "shapeworld", "Are Gabors enough for conv1 on other images?", _dial(_OVERLAPS, _made(("B",))),
        ),
        Series(
            "after", data, "Does what was found after 2014 hold here?",
            tuple(Bundle(split, labels=("baseA", "baseB")) for split in RANDOM_SPLITS),
        ),
    )  # fmt: skip
    return tuple(one for one in known if grouped or one.name != "apart")


def of_layers(known: Sequence[Series], layers: tuple[str, ...]) -> tuple[Series, ...]:
    """The same series for a network of these layers, chopped at the same depths.

    On layers other than the paper's there is no `plateau`, as its random filters were published for the paper's
    network, no `made`, which takes the place of filters that are large enough for a Gabor, and no `after`.
    """
    if layers == LAYERS:
        return tuple(known)
    return tuple(
        replace(one, parts=tuple(_as_deep(part, layers) for part in one.parts))
        for one in known
        if one.name not in _PAPERS_ONLY
    )


def _as_deep(part: Bundle, layers: tuple[str, ...]) -> Bundle:
    asked = {run.label: run for run in grid("any", 0)}
    wanted = {(asked[label].treatment, n) for label in part.labels for n in _near(asked[label].n, layers)}
    bases = tuple(label for label in part.labels if asked[label].source is None)
    chopped = tuple(run.label for run in grid("any", 0, layers) if run.n and (run.treatment, run.n) in wanted)
    return replace(part, labels=bases + chopped, layers=layers)


def _near(n: int, layers: tuple[str, ...]) -> tuple[int, ...]:
    """The chop points as deep as n of the eight layers, or the nearest one where a network has none so deep."""
    return same_depth([n], layers) or (nearest_depth(n, layers),)


def smoke_series(data: str = "photos") -> tuple[Series, ...]:
    """Most of the series with a handful of networks each, on one data set: the whole path, no science."""
    few = labels(("AnB", "BnB", "AnB+"), (5,))
    plateau, sizes = _plateau(("random0",), (3,)), _sizes(("random0",), {12: 1, 8: 1}, (5,))
    lengths = tuple(
        Bundle(split, labels=few, epochs_times=times) for split in ("random0", "random1") for times in (0.5, 1)
    )
    parts = {
        "similar": (Bundle("random0", labels=few), Bundle("random1", labels=few)),
        "dissimilar": (Bundle("natural", labels=labels(("AnB", "RnB"), (5,))),),
        "longer": _longer(("random0",)),
        "lengths": lengths,
        "plateau": plateau,
        "sizes": sizes,
        "made": (Bundle("random0", labels=("B1B", "F1B", "F1B+", "G1B")),),
    }
    return tuple(replace(one, parts=parts[one.name]) for one in all_series(data) if one.name in parts)


def freezing_series(data: str, split: str, seed: int, n: int, *, smoke: bool = False) -> Series:
    """The question of `sizes` and `longer` answered in minutes: both targets of one split, one seed and one n.

    On all images: base, AnB, AnB+, BnB+ and RnB, and bases trained twice as long. On few images: base, AnB, AnB+ and
    RnB; at the preset quick, `sizes` shares these. Raises UsageError for an n that is not 1 to 7.
    """
    if n not in CHOP_POINTS:
        raise UsageError(f"n={n} layers cannot be copied: n is 1 to {len(CHOP_POINTS)}.")
    few = 8 if smoke else min(_SIZES)
    parts = (
        Bundle(split, (seed,), labels(("AnB", "AnB+", "BnB+", "RnB"), (n,))),
        Bundle(
            split, (seed,), labels(("AnB", "AnB+", "RnB"), (n,)),
            images_per_class=few, epochs_times=1 if smoke else _SIZES[few],
        ),
        Bundle(split, (seed,), ("baseA", "baseB"), epochs_times=2),
    )  # fmt: skip
    return Series("freezing", data, "Freeze or fine-tune, and is it the copy or the training?", parts)


def choose_series(known: Sequence[Series], names: Sequence[str]) -> tuple[Series, ...]:
    """The named series in the order of `known`, or all without names. Raises UsageError for an unknown name."""
    there = [one.name for one in known]
    if unknown := [name for name in names if name not in there]:
        raise UsageError(f"'{unknown[0]}' is not a series: choose {', '.join(there)}.")
    return tuple(one for one in known if not names or one.name in names)


def labels(treatments: Iterable[Treatment], ns: Iterable[int] = CHOP_POINTS) -> tuple[str, ...]:
    """The labels of these treatments at these n, for both targets."""
    wanted, points = set(treatments), set(ns)
    return tuple(run.label for run in grid("any", 0) if run.treatment in wanted and run.n in points)


def _longer(splits: Iterable[str]) -> tuple[Bundle, ...]:
    """Bases that see as many images as a base and a fine-tuned network together."""
    return tuple(Bundle(split, labels=("baseA", "baseB"), epochs_times=2) for split in splits)


def _lengths(splits: Sequence[str]) -> tuple[Bundle, ...]:
    """Some treatments after fractions of the training, after the whole and after twice as much."""
    chosen = labels(("BnB", "AnB"), _ODD) + labels(_TUNED, (5,))
    return tuple(Bundle(split, labels=chosen, epochs_times=times) for times in _LENGTHS for split in splits)


def _apart(chosen: tuple[str, ...]) -> tuple[Bundle, ...]:
    """In one table: halves that share no photograph, halves that do, and halves of different kinds."""
    drawn = [f"{kind}{number}" for kind in ("random", "apart") for number in range(len(RANDOM_SPLITS))]
    return (*(Bundle(split, labels=chosen) for split in drawn), Bundle("natural", (0, 1, 2), chosen))


def _plateau(splits: Sequence[str], ns: Iterable[int]) -> tuple[Bundle, ...]:
    random = labels(("RnB",), ns)
    scaled = [Bundle(split, labels=random) for split in splits]
    published = [Bundle(split, labels=random, bases=False, random_filters="published") for split in splits]
    return (*scaled, *published)


def _sizes(splits: Sequence[str], epochs_times: dict[int, float], ns: Iterable[int]) -> tuple[Bundle, ...]:
    """`epochs_times` maps images per class to epochs: few images must be seen often for a network to learn."""
    chosen = labels(("AnB", "AnB+"), ns)
    whole = [Bundle(split, labels=chosen) for split in splits]
    limited = [
        Bundle(split, labels=chosen, images_per_class=size, epochs_times=times)
        for size, times in epochs_times.items()
        for split in splits
    ]
    return (*whole, *limited)


def _dial(overlaps: Iterable[str], chosen: tuple[str, ...]) -> tuple[Bundle, ...]:
    """Twice as long as on photographs: before that, bases of shapeworld have not learned."""
    return tuple(Bundle(f"overlap-{overlap}", labels=chosen, epochs_times=2) for overlap in overlaps)


def _made(targets: Iterable[Half]) -> tuple[str, ...]:
    """conv1 from the own half, the other half, nowhere and without training, frozen and, if it can be, fine-tuned."""
    halves = (f"{source}1{target}{plus}" for target in targets for source in HALVES for plus in ("", "+"))
    made = (f"{source}1{target}{plus}" for target in targets for source in MADE for plus in ("", "+"))
    return (*halves, *(f"R1{target}" for target in targets), *made)


def same_depth(points: Iterable[int], layers: Sequence[str]) -> tuple[int, ...]:
    """The chop points of these layers that are nearest in relative depth to one of `points` in the paper's eight."""
    last, wanted = len(layers) - 1, set(points)
    scale = (len(LAYERS) - 2) / max(1, last - 1)
    return tuple(n for n in range(1, last + 1) if round(1 + (n - 1) * scale) in wanted)


def nearest_depth(n: int, layers: Sequence[str]) -> int:
    """The chop point of these layers that is nearest in relative depth to n in the paper's eight."""
    return round(1 + (n - 1) * (len(layers) - 2) / (len(LAYERS) - 2))
