"""Exercises of lesson 07: freeze or fine-tune."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course.asking.frame import frame
from course.asking.lesson07 import ask_choose_network, ask_gain_of_task, ask_images_to_reach
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by
from course.exercises.tables import base_top1, draw_table

CANDIDATES = (("AnB", 3), ("AnB", 5), ("AnB", 7), ("AnB+", 3), ("AnB+", 5), ("AnB+", 7))


def _pose_choice(generator: np.random.Generator) -> tuple[Case, ...]:
    """Candidates: one is best in validation, others in training, in test, and by one lucky seed.

    The best is frozen or fine-tuned in turn, each time with another n, so that no rule of thumb is always right.
    """
    cases = []
    for seeds, best, tuned in zip((3, 2, 4), generator.permutation(3), (0, 1, 0), strict=True):
        best += 3 * tuned
        others = [one for one in range(len(CANDIDATES)) if one != best]
        lucky, tested, trained = generator.permutation(others)[:3].tolist()
        valid = generator.uniform(0.60, 0.70, (len(CANDIDATES), seeds))
        valid[best] = generator.uniform(0.76, 0.80, seeds)
        valid[lucky, -1] = 0.84
        test = valid - generator.uniform(0.02, 0.04, valid.shape)
        test[tested] = generator.uniform(0.80, 0.85, seeds)
        train = valid + generator.uniform(0.05, 0.10, valid.shape)
        train[trained] = 0.99
        measured = {"train_top1": train, "valid_top1": valid, "test_top1": test}
        cases.append(Case(f"{len(CANDIDATES)} candidates of {seeds} seeds", {"table": _listed(measured, generator)}))
    return tuple(cases)


def _listed(measured: Mapping[str, Any], generator: np.random.Generator) -> dict[str, Plain]:
    candidates, seeds = next(iter(measured.values())).shape
    keys = [(*CANDIDATES[one], seed) for one in range(candidates) for seed in range(seeds)]
    order = generator.permutation(len(keys))
    columns: dict[str, Plain] = {
        name: [keys[row][place] for row in order] for place, name in enumerate(("treatment", "n", "seed"))
    }
    return columns | {name: values.ravel()[order].round(4).tolist() for name, values in measured.items()}


def _chosen(by: str, promised: str = "test_top1") -> Callable[[Case], Plain]:
    def made(case: Case) -> Plain:
        means = frame(case.given["table"]).groupby(["treatment", "n"]).mean().reset_index()
        best = means.iloc[int(means[by].argmax())]
        return [str(best["treatment"]), int(best["n"]), float(best[promised])]

    return made


def _luckiest(case: Case) -> Plain:
    table = frame(case.given["table"])
    row = table.iloc[int(table["valid_top1"].argmax())]
    return [str(row["treatment"]), int(row["n"])]


def _judge_choice(case: Case, value: Any) -> Any:
    judge = judge_by(
        "your choice", _chosen("valid_top1"),
        {
            "test": _chosen("test_top1"), "train": _chosen("train_top1"),
            "optimistic": _chosen("valid_top1", "valid_top1"),
            "lucky": lambda case: [*_luckiest(case), value[2]],  # type: ignore[misc]
        },
    )  # fmt: skip
    return judge(case, value)


def _pose_curve(generator: np.random.Generator) -> tuple[Case, ...]:
    cases = []
    for name, images in (("four sizes", [5, 20, 80, 320]), ("three sizes", [10, 40, 160])):
        top1 = np.sort(generator.uniform(0.2, 0.8, len(images))) + 0.02 * np.arange(len(images))
        low, high = float(top1[1]), float(top1[2])
        cases.append(_curve(f"{name}, a level between two of them", images, top1, low + 0.6 * (high - low)))
        cases.append(_curve(f"{name}, a level that one of them reaches", images, top1, low))
        cases.append(_curve(f"{name}, a level that none reaches", images, top1, float(top1[-1]) + 0.05))
        cases.append(_curve(f"{name}, a level below the smallest", images, top1, float(top1[0]) - 0.05))
    return tuple(cases)


def _curve(name: str, images: list[int], top1: Any, level: float) -> Case:
    return Case(name, {"images": list(images), "top1": [float(one) for one in top1], "level": level})


def _images(scale: Callable[[Any], Any], back: Callable[[float], float], never: float) -> Callable[[Case], Plain]:
    def made(case: Case) -> Plain:
        images, top1, level = (case.given[name] for name in ("images", "top1", "level"))
        return never if level > top1[-1] else float(back(np.interp(level, top1, scale(np.array(images)))))

    return made


def _next_measured(case: Case) -> Plain:
    pairs = zip(case.given["images"], case.given["top1"], strict=True)
    return float(next((images for images, top1 in pairs if top1 >= case.given["level"]), np.inf))


def _pose_gain(generator: np.random.Generator) -> tuple[Case, ...]:
    plans = (("a balanced grid", ["random0"], [0], 0.0), ("networks missing", ["random0", "random1"], [0, 1], 0.3))
    cases = []
    for name, splits, seeds, share in (*plans, ("targets missing", ["random2", "natural"], [0], 0.5)):
        columns = draw_table(generator, splits, seeds, ("AnB", "AnB+", "BnB+"), (1, 3, 5, 7))
        dropped = [bool(generator.uniform() < share and one == "AnB+") for one in columns["treatment"]]
        if share == 0.5:
            where = zip(columns["treatment"], columns["split"], columns["target"], strict=True)
            dropped = [(one, split) == ("BnB+", splits[0]) and target == "A" for one, split, target in where]
        kept = [index for index, gone in enumerate(dropped) if not gone]
        cases.append(Case(name, {"table": {key: [values[index] for index in kept] for key, values in columns.items()}}))
    return tuple(cases)


def _gains(*, matched: bool = True, against: str = "BnB+", paired: bool = True, scale: float = 100) -> Any:
    """The answer to a case: the gain from training twice, and the gain from the other task."""

    def made(case: Case) -> Plain:
        table = frame(case.given["table"])
        table["paired"] = table["top1"] - (
            base_top1(table) if paired else table.query("treatment == 'base'").top1.mean()
        )
        keys = ["split", "seed", "target", "n"]
        twice, tuned = (table[table["treatment"] == name] for name in ("BnB+", "AnB+"))
        both = tuned.merge(twice, on=keys, suffixes=("", "_twice"))
        other = (both["top1"] - both["top1_twice"]).mean() if matched else tuned["top1"].mean() - twice["top1"].mean()
        other = tuned["paired"].mean() if against == "base" else other
        return [scale * float(twice["paired"].mean()), scale * float(other)]

    return made


EXERCISES = (
    Exercise(
        name="choose_network",
        lesson="07",
        title="Choose n, and freeze or fine-tune, for a new task",
        points=3,
        pose=_pose_choice,
        ask=ask_choose_network,
        judge=_judge_choice,
        misconceptions={
            "test": "you chose by the test images, which then no longer give an honest estimate.",
            "train": "the best on its own training images may only have learned them by heart.",
            "optimistic": "the winner won by its validation accuracy, so that is too high: report the test accuracy.",
            "lucky": "one seed may be lucky: choose by the mean over seeds.",
        },
    ),
    Exercise(
        name="images_to_reach",
        lesson="07",
        title="How many images to reach a level?",
        points=2,
        pose=_pose_curve,
        ask=ask_images_to_reach,
        judge=judge_by(
            "your number of images", _images(np.log, np.exp, np.inf),
            {
                "linear": _images(np.asarray, float, np.inf), "measured": _next_measured,
                "never": lambda case: float(case.given["images"][-1]),
            },
            tolerance=1e-4,
        ),
        misconceptions={
            "linear": "learning curves are nearly straight on a logarithmic axis of images, not on a linear one.",
            "measured": "that is the next size that was measured; interpolate between the sizes around the level.",
            "never": "no measured size reaches the level, so nobody knows how many images do: answer infinity.",
        },
    ),
    Exercise(
        name="gain_of_task",
        lesson="07",
        title="The task, or the second training?",
        points=3,
        pose=_pose_gain,
        ask=ask_gain_of_task,
        judge=judge_by(
            "your two gains", _gains(),
            {
                "no control": _gains(against="base"), "unmatched": _gains(matched=False),
                "unpaired": _gains(paired=False), "fractions": _gains(scale=1),
            },
        ),
        misconceptions={
            "no control": "AnB+ minus its base is both gains at once, since AnB+ was trained twice too: subtract BnB+.",
            "unmatched": "if networks are missing, the two means are over different targets: match them first.",
            "unpaired": "compare BnB+ with the base of its own split, seed and target.",
            "fractions": "points are hundredths: multiply by 100.",
        },
    ),
)  # fmt: skip
