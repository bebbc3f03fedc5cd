"""The practitioner's question: how many layers of given weights to freeze, fine-tune or train anew, for these pictures.

`curve` plans, says the minutes, measures, and returns a `Curve`: its table, its picture and its advice in words.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from course.practice.advice import Advice, advise
from course.practice.bench import Bench
from course.practice.folds import packed
from course.practice.measuring import answers_of, measure_heads, measure_networks, table_of
from course.practice.networks import train
from course.practice.options import Answers
from course.practice.picture import draw
from course.practice.pictures import find_pictures
from course.practice.planning import Limits, plan_curve, plan_table
from course.practice.telling import start_telling
from course.practice.weights import given_weights, named_net
from course.practice.words import paragraph
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Store
from transferkit.figures import Picture
from transferkit.training.machine import choose_device
from transferkit.training.workers import default_workers, local_workers


@dataclass(frozen=True)
class Curve:
    """What was measured: a row per option, seed and fold in `table` (accuracy is a fraction), and what it advises.

    `answers` says which pictures each option names rightly. `data` and `net` name what it was measured on, and
    `layers` are the network's. `seconds` is the time that this call took.
    """

    table: pd.DataFrame
    answers: Answers
    advice: Advice
    data: str
    net: str
    layers: tuple[str, ...]
    seconds: float

    @property
    def text(self) -> str:
        """The advice in one paragraph."""
        return paragraph(self.answers, self.advice, self.table)

    @property
    def picture(self) -> Picture:
        """Accuracy against the number of layers that are used as given."""
        return draw(self.table, self.answers, self.advice, f"{self.data}, {self.net}", self.layers)

    def save(self, folder: Path) -> tuple[Path, ...]:
        """Write curve.csv, answers.npz, advice.txt, curve.svg and curve.png into a folder, each atomically."""
        asked = {option.label: self.answers.correct[i] for i, option in enumerate(self.answers.options)}
        content = {
            "curve.csv": self.table.to_csv(index=False).encode(),
            "answers.npz": packed({**asked, "copies": self.answers.copies}),
            "advice.txt": f"{self.text}\n".encode(),
        }
        for name, content_of in content.items():
            atomic.write_bytes(folder / name, content_of)
        picture = self.picture
        return (*(folder / name for name in content), *(picture.save(folder / f"curve.{it}") for it in ("svg", "png")))


def curve(
    weights: str | Path, data: str | Path, net: str | None = None, work: Path | None = None,
    console: Console | None = None, **limits: Any,
) -> Curve:  # fmt: skip
    """How many layers of given weights to freeze, fine-tune or train anew for the pictures in a folder, measured.

    `weights` is a file or the name of installed weights, `data` a folder with a folder of pictures per class or a
    prepared data set, `net` the network's name (None: that of installed weights, or resnet18). `limits` are those of
    `Limits`. What is there already is not computed again. Raises UsageError and DataError for what does not fit, in one
    sentence, TrainingError when networks failed.

    >>> base = tk.plan("random0", seeds=[0], labels=["baseA"])[0]
    >>> weights = study.store.run_folder(base, study.setting) / "weights.safetensors"
    >>> found = tk.curve(weights, folder, "small", frozen_only=True, folds=2)
    >>> found.table["option"].iloc[0]
    'P1 head'
    """
    began = time.monotonic()
    allowed = Limits(**limits)
    bench = open_bench(str(weights), str(data), net, allowed, work or find_work_folder())
    plan = plan_curve(bench, allowed)
    told = start_telling(plan_table(bench, allowed, plan), console)
    rows = measure_heads(bench, allowed.origins, told)
    if plan.design:
        jobs = bench.jobs(plan.design)
        train(jobs, local_workers(default_workers(bench.device)), told)
        rows += measure_networks(bench, jobs, told)
    answers = answers_of(bench, rows, plan.design.folds if plan.design else bench.folds)
    return Curve(
        table_of(rows), answers, advise(answers), bench.pictures.prepared.manifest.name, bench.net.name,
        bench.net.layers, time.monotonic() - began,
    )  # fmt: skip


def open_bench(weights: str, data: str, net: str | None, limits: Limits, work: Path) -> Bench:
    """What a curve is measured on. Raises UsageError or DataError for what does not fit."""
    spec, store = named_net(net, weights, limits.size), Store(work)
    own = given_weights(weights, spec)
    pictures = find_pictures(data, work, spec.image_size, limits.folds)
    device = choose_device(limits.device)
    return Bench(pictures, spec, own, store.give(own), limits.folds, tuple(limits.seeds), device, store)
