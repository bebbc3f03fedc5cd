"""Which networks to retrain within a number of minutes, and retraining them in a scratch folder."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
from rich.progress import track

from course.evidence.verify.claimed import Claimed, Network
from transferkit.config import Setting
from transferkit.disk.prepared import MANIFEST, read_manifest
from transferkit.disk.store import Receipt, Store
from transferkit.errors import DataError, TrainingError, TransferkitError, UsageError
from transferkit.training.data import Prepared, open_prepared
from transferkit.training.experiment import perform
from transferkit.training.machine import choose_device
from transferkit.training.study import Study
from transferkit.treatments import Run

Chain = tuple[Network, ...]  # a base and networks that copy from it, or one network that copies nothing


@dataclass(frozen=True)
class Site:
    """Where networks are retrained: a scratch folder, and work folders whose prepared data may be read."""

    scratch: Path
    works: tuple[Path, ...]

    def studies(self, settings: Sequence[Setting]) -> tuple[dict[Setting, Study], tuple[str, ...]]:
        """The study of each setting, and of that of its bases; for those that cannot be retrained here, the reasons."""
        studies: dict[Setting, Study] = {}
        reasons: dict[str, None] = {}
        data: dict[tuple[str, str], Prepared | str] = {}
        for setting in dict.fromkeys(settings):
            key = (Path(setting.data).name, setting.data_checksum)
            reason: Prepared | str = _strange(setting) or data.get(key) or data.setdefault(key, self._data(*key))
            if isinstance(reason, str):
                reasons[reason] = None
            else:
                for one in (setting, setting.of_source):
                    studies[one] = Study(reason, one, Store(self.scratch))
        return studies, tuple(reasons)

    def _data(self, name: str, checksum: str) -> Prepared | str:
        """The data set of this checksum, drawn into the scratch folder if need be; or why it cannot be had."""
        for work in self.works:
            if _checksum(work / "data" / name) == checksum:
                return open_prepared(work / "data" / name)
        for maker in entry_points(group="transferkit.data"):  # the course does not know data_prep
            try:
                folder = maker.load()(name, self.scratch)
            except TransferkitError:
                continue
            if _checksum(folder) == checksum:
                return open_prepared(folder)
        return f"data set {name} with checksum {checksum[:12]} is not in {self.works[0]}, and is not drawn so here"


def _strange(setting: Setting) -> str:
    """Why networks of a setting cannot be retrained on this machine by this version; empty if they can."""
    if setting.protocol != (ours := Setting.protocol):
        return f"protocol {setting.protocol} is of another version of transferkit, this one has {ours}"
    if setting.device == "cuda" and choose_device("auto") != "cuda":
        return "they were trained on a GPU, and there is none here"
    return ""


def _checksum(folder: Path) -> str:
    """The checksum of a prepared folder by its manifest; empty where there is none that can be read."""
    try:
        return read_manifest(folder, verify=False).checksum() if (folder / MANIFEST).is_file() else ""
    except (DataError, OSError):
        return ""


def base_of(network: Network) -> Network:
    """The base that a network copies from, as this would retrain it; the network itself if it copies nothing."""
    setting, run = network
    return (setting.of_source, run.source_base) if run.source_base else network


def choose(
    claims: Sequence[Claimed], count: int, minutes: float, workers: int, seconds: Callable[[Network], float], draw: int
) -> tuple[Chain, ...]:  # fmt: skip
    """Chains that hold up to `count` of these networks, drawn at random, and take `minutes` on so many workers.

    A network that would take too long, with the base that it copies from, is passed over for the next one. So the more
    bases are there already, the more of what follows copies from them. `draw` keys the chance. Raises UsageError when
    not even the cheapest network fits.
    """
    claimed = {claim.network for claim in claims}
    chains: dict[Network, Chain] = {}
    costs: dict[Network, float] = {}
    chosen = 0
    for index in np.random.default_rng(draw).permutation(len(claims)):
        network = claims[index].network
        base = base_of(network)
        added = [one for one in dict.fromkeys((base, network)) if one not in chains.get(base, ())]
        number = chosen + sum(one in claimed for one in added)
        tried = costs | {base: costs.get(base, 0.0) + sum(map(seconds, added))}
        if added and number <= count and makespan(tuple(tried.values()), workers) <= 60 * minutes:
            chains[base], costs, chosen = (*chains.get(base, ()), *added), tried, number
        if chosen == count:
            break
    if not chains:
        least = min(sum(map(seconds, dict.fromkeys((base_of(one.network), one.network)))) for one in claims)
        raise UsageError(
            f"no network can be retrained here in {minutes:g} minutes, the quickest takes {least / 60:.1f}: give "
            f"--minutes {least // 60 + 1:.0f} or more."
        )
    return tuple(sorted(chains.values(), key=lambda chain: -costs[chain[0]]))


def makespan(costs: Sequence[float], workers: int) -> float:
    """Seconds until so many workers have done chains that take these seconds, the longest first."""
    free = [0.0] * workers
    for taken in sorted(costs, reverse=True):
        heapq.heapreplace(free, free[0] + taken)
    return max(free)


def retrain(
    chains: Sequence[Chain], studies: Mapping[Setting, Study], executor: Executor
) -> dict[Network, Receipt | str]:
    """Train these chains anew, each base before its copies; the receipt of each network, or why it has none."""
    tasks = [tuple((studies[setting], run) for setting, run in chain) for chain in chains]
    try:
        results = list(track(executor.map(_retrain_chain, tasks), "retraining", len(tasks), transient=True))
    except BrokenProcessPool:
        raise TrainingError(
            "a worker process was killed while it retrained (out of memory?): run the same command again, perhaps with "
            "fewer --workers."
        ) from None
    networks = [network for chain in chains for network in chain]
    return dict(zip(networks, (one for found in results for one in found), strict=True))


def _retrain_chain(chain: Sequence[tuple[Study, Run]]) -> list[Receipt | str]:
    found: list[Receipt | str] = []
    for study, run in chain:
        try:
            found.append(perform(study, run))
        except TransferkitError as problem:
            found.append(str(problem))
    return found
