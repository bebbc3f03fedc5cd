"""The command `verify`: retrain some networks of the evidence, or of a work folder, and say whether they come out so.

What is slow to import is imported where the command uses it, so that help is answered at once.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from transferkit.commands import add_usual_options
from transferkit.disk.prepared import find_work_folder
from transferkit.errors import DataError, UsageError, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from course.evidence.verify.claimed import Claimed, Kept, Network
    from course.evidence.verify.judge import Answer
    from course.evidence.verify.sample import Chain
    from transferkit.config import Setting
    from transferkit.training.study import Study


def add_options(command: argparse.ArgumentParser) -> None:
    """What `verify` takes."""
    add = command.add_argument
    add("--sample", type=int, default=12, metavar="N", help="networks to retrain at most (default: 12)")
    add("--minutes", type=float, default=4.0, help="that they may take here, by a probe (default: 4)")
    add("--evidence", type=Path, help="folder of tables (default: those of the repository, or the receipts of --work)")
    add("--draw", type=int, help="draw the sample of an earlier call again (default: another one each time)")
    add("--workers", type=int, help="processes here (default: one per CPU core, or one per GPU)")
    add_usual_options(command)


def verify(options: argparse.Namespace) -> None:
    """Retrain a sample; show the verdicts and what was edited. Raises DataError when anything differs or was edited."""
    from course.evidence.verify.judge import expectation, judge, made_here, noise_of
    from course.evidence.verify.sample import Site, retrain
    from transferkit.training.workers import default_workers, local_workers

    console, kept = Console(), _kept(options)
    work = options.work or find_work_folder()
    for sentence in kept.edited:
        console.print(sentence, style="red", markup=False, highlight=False)
    with tempfile.TemporaryDirectory(prefix="verify-") as scratch:
        site = Site(Path(scratch), tuple(dict.fromkeys((work, find_work_folder()))))
        (site.scratch / "given").symlink_to(work / "given")  # weights that bases may start from
        studies, reasons = site.studies([claim.setting for claim in kept.claims])
        claims = [claim for claim in kept.claims if claim.setting in studies]
        _tell_left_out(kept, claims, reasons, console)
        device = claims[0].setting.device
        workers = default_workers(device) if options.workers is None else whole("workers", options.workers, 1)
        draw = secrets.randbelow(10**6) if options.draw is None else options.draw
        chains = _sample(claims, studies, workers, draw, options)
        sample = [claim for claim in claims if any(claim.network in chain for chain in chains)]
        console.print(expectation(sample, made_here(device)), highlight=False)
        with local_workers(workers) as executor:
            found = retrain(chains, studies, executor)
    answers = [judge(claim, found[claim.network], noise_of(kept.claims, claim)) for claim in sample]
    console.print(
        answers_table(answers, f"{len(sample)} of {len(kept.claims)} networks in {kept.place}, --draw {draw}")
    )
    _conclude(answers, kept, console)


def answers_table(answers: Sequence[Answer], title: str) -> Table:
    """One row for each retrained network: what it was, by how many points it is off, the noise, and the verdict."""
    from course.evidence.verify.judge import LIMIT

    caption = (
        "Noise: the standard deviation of top-1 (points) over so many kept networks that differ only in their seed, "
        f"or, where no seeds are kept, in their split; pooled. Two of these differ by at most {LIMIT:.1f} times that."
    )
    table = Table(title=title, caption=caption)
    table.add_column("network", no_wrap=True)
    for heading in ("top-1", "off"):
        table.add_column(heading, justify="right")
    for heading in ("noise", "verdict"):
        table.add_column(heading, overflow="fold")
    for answer in answers:
        noise = "unknown"
        if answer.noise:
            noise = f"{100 * answer.noise.deviations[0]:.2f} ({answer.noise.networks}, {answer.noise.over})"
        verdict = f"{answer.verdict}{': ' * bool(answer.note)}{answer.note}"
        table.add_row(answer.claim.name, f"{answer.claim.top1:.2%}", f"{100 * answer.off:+.2f}", noise, verdict)
    return table


def _kept(options: argparse.Namespace) -> Kept:
    from course.evidence.collect import kept_evidence
    from course.evidence.verify.claimed import claimed_in_tables, claimed_in_work

    if options.sample < 1:
        raise UsageError(f"--sample {options.sample} retrains nothing: give 1 or more.")
    if not 0 < options.minutes < np.inf:
        raise UsageError(f"--minutes {options.minutes:g} is no time: give a number above 0, as 4.")
    if options.work and not options.evidence:
        return claimed_in_work(options.work)
    if folder := options.evidence or kept_evidence():
        return claimed_in_tables(folder)
    raise UsageError("the tables of the repository are not installed: name --work or --evidence.")


def _tell_left_out(kept: Kept, claims: Sequence[Claimed], reasons: Sequence[str], console: Console) -> None:
    """Say how many networks cannot be retrained here, and why. Raises DataError when none can be."""
    left, told = len(kept.claims) - len(claims), "; ".join(reasons)
    if not claims:
        raise DataError(
            f"none of the {len(kept.claims)} networks of {kept.place} can be retrained here: "
            f"{told or 'all of them were edited'}."
        )
    if left:
        console.print(f"{left} of {len(kept.claims)} networks are left out: {told}.", highlight=False)


def _sample(
    claims: Sequence[Claimed], studies: Mapping[Setting, Study], workers: int, draw: int, options: argparse.Namespace
) -> tuple[Chain, ...]:  # fmt: skip
    from course.evidence.verify.sample import choose

    seconds = _predictor(claims, studies, workers)
    return choose(claims, options.sample, options.minutes, workers, seconds, draw)


def _predictor(claims: Sequence[Claimed], studies: Mapping[Setting, Study], workers: int) -> Callable[[Network], float]:
    """Seconds that a worker takes for a network: by a probe of the most common net; others by the seconds they took."""
    from transferkit.disk.store import Store
    from transferkit.training.forecast import probe, seconds_of
    from transferkit.training.workers import local_workers

    (usual, _), *_ = Counter(claim.setting.net for claim in claims).most_common(1)
    study = next(studies[claim.setting] for claim in claims if claim.setting.net == usual)
    found = probe(replace(study, store=Store(find_work_folder())), workers, local_workers(workers))
    took = {claim.network: claim.seconds for claim in claims}
    probed = {
        network: seconds_of(studies[network[0]], network[1], found) for network in took if network[0].net == usual
    }
    pace = float(np.median([seconds / took[network] for network, seconds in probed.items()]))

    @cache
    def seconds(network: Network) -> float:
        setting, run = network
        if setting.net == usual:
            return seconds_of(studies[setting], run, found)
        return pace * took.get(network, max(took.values()))

    return seconds


def _conclude(answers: Sequence[Answer], kept: Kept, console: Console) -> None:
    """Say what came out in all. Raises DataError when a network differs or anything was edited."""
    counts = Counter(answer.verdict for answer in answers)
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    console.print(f"In all: {told}; {len(kept.edited)} edited.", highlight=False)
    if counts["differs"] or kept.edited:
        raise DataError(
            f"{kept.place} does not hold: {counts['differs']} of {len(answers)} retrained networks differ, and "
            f"{len(kept.edited)} receipts or rows were edited; those are named above."
        )
