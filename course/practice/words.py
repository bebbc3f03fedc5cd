"""The advice in one paragraph of plain sentences."""

import math

import pandas as pd

from course.practice.advice import SCRATCH, UNTRAINED, Advice, Gain
from course.practice.options import Answers
from transferkit.results.learned import MOST_GAIN

REMEDY = "give more --minutes, or more --epochs if you set them"
MOST_TIMES = 100  # pictures wanted, as a multiple of those there: beyond it, more pictures are no remedy


def paragraph(answers: Answers, advice: Advice, table: pd.DataFrame) -> str:
    """What to do, what it gains over each alternative on pictures that took no part, and what cannot be told."""
    asked = answers.compared
    choice, best = asked.options[advice.choice], asked.options[advice.best]
    count, accuracy = asked.correct.shape[1], 100 * asked.correct.mean(1)
    sentences = [
        f"Advice: {choice.words}. So {accuracy[advice.choice]:.1f} % of {count} pictures are named rightly, each by a "
        "network that was not trained on it."
    ]
    if advice.best != advice.choice:
        sentences.append(
            f"{best.label} has the best mean ({accuracy[advice.best]:.1f} %), but {choice.label} is cheaper and "
            "within one standard error."
        )
    if advice.gains:
        gains = "; ".join(_gain(gain) for gain in advice.gains)
        sentences.append(f"What such a choice gains, on pictures that took no part in it (95 % intervals): {gains}.")
        sentences += [worth(advice.gains), _curse(advice.gains[0])]
    return " ".join([*sentences, *_untold(advice.gains), learned_note(table)])


def worth(gains: tuple[Gain, ...]) -> str:
    """Whether the given weights are worth anything: beside training from scratch, or else beside untrained features."""
    by_name = {gain.over: gain for gain in gains}
    gain = by_name.get(SCRATCH) or by_name.get(UNTRAINED)
    if gain is None:
        return ""
    if gain.value == gain.low == gain.high == 0:
        return f"The given weights are not needed here: nothing beats {gain.over}."
    if not gain.told:
        return f"Whether the given weights are worth anything here, beside {gain.over}, these pictures cannot tell."
    if gain.low > 0:
        return f"The given weights are worth something here: more than {gain.over}."
    return f"The given weights are worth nothing here: {gain.over} does better."


def learned_gain(table: pd.DataFrame) -> float:
    """What the second half of the epochs from scratch gained, in points; NaN where that was not measured."""
    scratch = table[table["kind"] == "scratch"]
    by_length = 100 * scratch.pivot_table(index=["seed", "fold"], columns="epochs", values="accuracy")
    if by_length.shape[1] < 2:
        return math.nan
    return float((by_length[by_length.columns[-1]] - by_length[by_length.columns[0]]).mean())


def learned_note(table: pd.DataFrame) -> str:
    """Whether the networks from scratch had learned, by what the second half of their training gained."""
    scratch = table[table["kind"] == "scratch"]
    if scratch.empty:
        return "No network was trained from scratch, so this does not say what training anew would give."
    epochs, gain = int(scratch["epochs"].max()), learned_gain(table)
    if math.isnan(gain):
        return f"Whether the networks from scratch had learned after {epochs} epochs is not known: {REMEDY}."
    if gain < MOST_GAIN:
        return (
            f"The networks from scratch had learned: the second half of their {epochs} epochs gave {gain:+.1f} points."
        )
    return (
        f"The networks from scratch had not learned to the end (the second half of their {epochs} epochs still gave "
        f"{gain:+.1f} points), so what is gained over them is too large: {REMEDY}."
    )


def _gain(gain: Gain) -> str:
    told = "" if gain.told else ", so it cannot be told"
    if gain.value == gain.low == gain.high == 0:
        return f"no difference at all to {gain.over}"
    return f"{100 * gain.value:+.1f} points over {gain.over} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f}{told})"


def _curse(gain: Gain) -> str:
    """By how much the same gain flatters where it is measured on the pictures that the choice was made on."""
    return (
        f"Measured where it was chosen, the first gain would be {100 * gain.flattered:+.1f}: the best of several noisy "
        "options looks better than it is (the winner's curse)."
    )


def _untold(gains: tuple[Gain, ...]) -> list[str]:
    """What would help where the pictures cannot tell."""
    wanted = [gain for gain in gains if not gain.told and gain.low < gain.high]
    more = [gain for gain in wanted if gain.needed <= MOST_TIMES * gain.pictures]
    sentences = []
    if more:
        others = " or ".join(f"{gain.over} (about {_rounded(gain.needed):,} would)" for gain in more)
        sentences.append(
            f"{more[0].pictures} pictures cannot tell it from {others}, if the differences are what they seem."
        )
    for gain in (gain for gain in wanted if gain not in more):
        half = 50 * (gain.high - gain.low)
        sentences.append(f"If there is a difference to {gain.over}, it is less than about {half:.1f} points.")
    return sentences


def _rounded(count: float) -> int:
    """Rounded up to one digit, so that it claims no more than it knows."""
    unit = 10 ** math.floor(math.log10(count))
    return int(math.ceil(count / unit) * unit)
