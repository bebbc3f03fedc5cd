"""What it means that a retrained network has other numbers: the noise of a seed, and the verdict on a receipt."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from course.evidence.receipts import made_with
from course.evidence.verify.claimed import Claimed, claim_of
from transferkit.config import Device
from transferkit.disk.store import Receipt
from transferkit.splits import is_of_kind
from transferkit.training.machine import device_name, versions

Verdict = Literal["the same bits", "within the noise of a seed", "differs"]
LIMIT = 3 * np.sqrt(2)  # standard deviations: two draws differ by so much once in 370 times
FEWEST = 2  # degrees of freedom that a standard deviation needs
DECISIVE = ("device", "torch", "numpy", "transferkit", "processes")  # of what networks are made with: what changes bits


@dataclass(frozen=True)
class Noise:
    """Standard deviations of top-1, training and validation loss by chance, and what they are taken over."""

    deviations: tuple[float, float, float]
    networks: int
    over: str


@dataclass(frozen=True)
class Answer:
    """The verdict on one claim, how far top-1 is off (0..1), the noise it was judged by, and what else is to say."""

    claim: Claimed
    verdict: Verdict
    off: float
    noise: Noise | None
    note: str = ""


def judge(claim: Claimed, found: Receipt | str, noise: Noise | None) -> Answer:
    """Compare a claim with the network retrained from it, or with the reason why that failed."""
    if isinstance(found, str):
        return Answer(claim, "differs", float("nan"), noise, f"cannot be retrained: {found}")
    new = claim_of(found)
    off = new.top1 - claim.top1
    same = {
        "training loss": new.train_loss == claim.train_loss,
        "validation loss": new.valid_loss == claim.valid_loss,
        "earlier epochs": new.log == claim.log,
        "weights": new.weights == claim.weights,
    }
    if all(same.values()) and off == 0:
        return Answer(claim, "the same bits", off, noise)
    if any(same.values()):  # no rounding does that: whatever changes one of them by chance changes all
        wrong = [name for name, right in same.items() if not right] + ["top-1"] * (off != 0)
        return Answer(claim, "differs", off, noise, f"{', '.join(wrong)} edited: the rest is the same to the bit")
    if noise is None:
        return Answer(claim, "differs", off, noise, "no two networks tell the noise of a seed")
    differences = np.array([off, new.train_loss - claim.train_loss, new.valid_loss - claim.valid_loss])
    beyond = np.abs(differences) > LIMIT * np.array(noise.deviations)
    names = np.array(["top-1", "training loss", "validation loss"])[beyond]
    if len(names):
        return Answer(claim, "differs", off, noise, f"{', '.join(names)} beyond {LIMIT:.1f} standard deviations")
    unexpected = "" if strangers([claim], made_with(found)) else "the same bits were to be expected here"
    return Answer(claim, "within the noise of a seed", off, noise, unexpected)


def noise_of(claims: Sequence[Claimed], one: Claimed) -> Noise | None:
    """The noise of a seed for a network: pooled standard deviations of kept networks that differ only in the seed.

    Taken over networks of its setting and treatment if these have several seeds, else over its setting. Where no seeds
    are kept, random splits stand in for them: their networks differ in their classes too, so that is an upper bound.
    None if there is nothing of either kind.
    """
    alike = [claim for claim in claims if claim.setting == one.setting]
    drawn = [claim for claim in alike if is_of_kind(claim.run.split, "random")]
    treated = [claim.run.treatment == one.run.treatment for claim in alike]
    own = [claim for claim, same in zip(alike, treated, strict=True) if same]
    own_drawn = [claim for claim in drawn if claim.run.treatment == one.run.treatment]
    tries: tuple[tuple[Sequence[Claimed], Callable[[Claimed], Hashable], str], ...] = (
        (own, lambda claim: (claim.run.label, claim.run.split), f"seeds of {one.run.treatment}"),
        (alike, lambda claim: (claim.run.label, claim.run.split), "seeds of all treatments"),
        (own_drawn, lambda claim: (claim.run.label, claim.run.seed), f"random splits of {one.run.treatment}"),
        (drawn, lambda claim: (claim.run.label, claim.run.seed), "random splits of all treatments"),
    )
    return next((noise for some, cell, over in tries if (noise := _pooled(some, cell, over))), None)


def _pooled(claims: Sequence[Claimed], cell: Callable[[Claimed], Hashable], over: str) -> Noise | None:
    cells: dict[Hashable, list[tuple[float, float, float]]] = {}
    for claim in claims:
        cells.setdefault(cell(claim), []).append((claim.top1, claim.train_loss, claim.valid_loss))
    several = [np.array(numbers) for numbers in cells.values() if len(numbers) > 1]
    freedom = sum(len(numbers) - 1 for numbers in several)
    if freedom < FEWEST:
        return None
    squares = sum(np.square(numbers - numbers.mean(0)).sum(0) for numbers in several)
    top1, train_loss, valid_loss = np.sqrt(squares / freedom)
    return Noise((float(top1), float(train_loss), float(valid_loss)), sum(map(len, several)), over)


def strangers(claims: Sequence[Claimed], here: Mapping[str, str]) -> tuple[str, ...]:
    """What the networks were made with that is other than here, each as `torch 2.9 (here 2.10)`."""
    pairs = [(name, claim.made_with.get(name, "unknown")) for claim in claims for name in DECISIVE]
    return tuple(
        dict.fromkeys(f"{name} {theirs} (here {here.get(name)})" for name, theirs in pairs if theirs != here.get(name))
    )


def made_here(device: Device) -> dict[str, str]:
    """What `made_with` would say of a network that is trained here."""
    return {"device": device_name(device), **versions(), "processes": "1"}


def expectation(claims: Sequence[Claimed], here: Mapping[str, str]) -> str:
    """What can be expected of retraining these networks here, in a sentence."""
    if others := strangers(claims, here):
        return (
            f"Made with {'; '.join(others)}: sums are rounded in another order there, so expect networks within the "
            "noise of a seed, not the same bits."
        )
    return "Made with the same processor and versions as here, and retrained on as many threads: expect the same bits."
