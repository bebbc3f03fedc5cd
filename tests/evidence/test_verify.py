"""Kept networks are retrained and compared: the same bits, the noise of a seed, a difference, or an edit."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.evidence.collect import keep_receipts, write_series
from course.evidence.receipts import RECEIPTS, as_text, from_text, made_with
from course.evidence.sweeps import SeriesStep
from course.evidence.verify.claimed import Claimed, Network, claim_of, claimed_in_tables, claimed_in_work
from course.evidence.verify.judge import LIMIT, Noise, expectation, judge, made_here, noise_of
from course.evidence.verify.sample import Site, base_of, choose, makespan
from tests.evidence.verifying import RUNS, SMOKE, verify
from transferkit.__main__ import main
from transferkit.config import Setting
from transferkit.disk.store import RECEIPT, WEIGHTS, Receipt, Store
from transferkit.errors import DataError, UsageError
from transferkit.training.study import Study
from transferkit.treatments import parse_run, plan

pytestmark = pytest.mark.xdist_group("verify")  # they share the networks of the fixture `kept`

SETTING = Setting("tiny", "0" * 64, SMOKE.net, SMOKE.recipe)


@pytest.fixture
def work(kept: Study, tmp_path: Path) -> Path:
    """A copy of that work folder, to be tampered with."""
    return Path(shutil.copytree(kept.store.work, tmp_path / "work", symlinks=True))


def edit(path: Path, *place: Any, digest: bool = False) -> None:
    """Add a hundredth to a number of a receipt; with `digest`, by somebody who drops the digest as well."""
    values = inner = msgspec.json.decode(path.read_bytes())
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] += 0.01
    if digest:
        del values["digest"]
    path.write_bytes(msgspec.json.encode(values))


def receipt_path(work: Path, study: Study, label: str = "A3B", seed: int = 0) -> Path:
    return Store(work).run_folder(parse_run(label, "random0", seed), study.setting) / RECEIPT


def test_networks_of_a_work_folder_come_out_again_to_the_bit_and_nothing_is_written_there(
    kept: Study, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in kept.store.work.rglob("*")}
    code, told = verify(capsys, "--work", str(kept.store.work), "--sample", "4")
    assert code == 0
    assert "4 of 9 networks" in told
    assert "In all: 4 the same bits; 0 edited." in told
    assert "expect the same bits" in told
    assert {path: path.stat().st_mtime_ns for path in kept.store.work.rglob("*")} == before


def test_networks_of_tables_come_out_again_to_the_bit(
    kept: Study, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    work = kept.store.work
    code, told = verify(capsys, "--evidence", str(work / "evidence"), "--work", str(work), "--sample", "3")
    assert code == 0
    assert "In all: 3 the same bits; 0 edited." in told


def test_an_edited_receipt_is_named_without_being_retrained(
    work: Path, kept: Study, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(receipt_path(work, kept), "log", 1, "top1")
    code, told = verify(capsys, "--work", str(work), "--sample", "1")
    assert code == 1
    assert "A3B-random0-seed0-" in told
    assert "its receipt was edited or damaged" in told
    assert "does not hold: 0 of 1 retrained networks differ, and 1 receipts or rows were edited" in told


def test_what_hides_its_edit_is_found_by_retraining(
    work: Path, kept: Study, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The digest is gone, as receipts of earlier versions have none."""
    for seed in (0, 1, 2):
        edit(receipt_path(work, kept, seed=seed), "log", 1, "top1", digest=True)
    code, told = verify(capsys, "--work", str(work), "--sample", "9")
    assert code == 1
    assert "6 the same bits, 3 differs; 0 edited." in told or "3 differs, 6 the same bits; 0 edited." in told
    assert "differs: earlier epochs, top-1 edited: the rest is the same to the bit" in told


def test_weights_that_are_not_their_receipts_are_named(work: Path, kept: Study) -> None:
    folder = receipt_path(work, kept).parent
    shutil.copy(receipt_path(work, kept, "baseA").parent / WEIGHTS, folder / WEIGHTS)
    found = claimed_in_work(work)
    assert found.edited == (f"{folder.name}: {WEIGHTS} is not the file of its receipt",)


@pytest.mark.parametrize("column", ["top1", "train_loss", "valid_loss", "paired"])
def test_an_edited_row_of_a_series_is_named(work: Path, column: str) -> None:
    path = work / "evidence" / "similar.csv"
    table = pd.read_csv(path)
    place = table.index[table["run"] == "A3B"][1]
    assert claimed_in_tables(path.parent).edited == ()
    table.loc[place, column] += 1e-6
    table.to_csv(path, index=False)
    edited = claimed_in_tables(path.parent).edited
    assert edited
    assert all(sentence.startswith("similar.csv: A3B (random0, seed 1, 2 epochs) ") for sentence in edited)


@pytest.mark.parametrize("nonsense", ["", "good", "nan", "1e9"])
def test_a_number_that_is_none_is_an_edit(work: Path, nonsense: str) -> None:
    path = work / "evidence" / "similar.csv"
    table = pd.read_csv(path, dtype=str)
    table.loc[2, "top1"] = nonsense
    table.to_csv(path, index=False)
    assert any(f"has top1 {nonsense}, its receipt" in sentence for sentence in claimed_in_tables(path.parent).edited)


@pytest.mark.parametrize("column", ["top1", "seed", "weights", "made_with"])
def test_an_edited_row_of_the_receipts_is_named_and_not_believed(work: Path, column: str) -> None:
    path = work / "evidence" / RECEIPTS
    table = pd.read_csv(path, dtype=str)
    table.loc[4, column] = "2" if column != "top1" else "0.987"
    table.to_csv(path, index=False)
    found = claimed_in_tables(path.parent)
    assert any(sentence.startswith(f"{RECEIPTS}: the row of ") for sentence in found.edited)
    assert len(found.claims) == len(RUNS) - 1


def test_a_row_without_a_receipt_is_named(work: Path) -> None:
    path = work / "evidence" / "similar.csv"
    table = pd.read_csv(path)
    pd.concat([table, table[:1].assign(seed=7)]).to_csv(path, index=False)
    assert "has no receipt in receipts.csv" in claimed_in_tables(path.parent).edited[0]


def test_tables_that_keep_no_receipts_say_what_to_run(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (work / "evidence" / RECEIPTS).unlink()
    code, told = verify(capsys, "--evidence", str(work / "evidence"), "--work", str(work))
    assert code == 1
    assert "holds no receipts.csv" in told
    assert "collect its tables anew with 'python -m transferkit evidence'" in told


def test_settings_of_another_version_are_told(work: Path) -> None:
    (work / "evidence" / "settings.json").write_text('{"0": {"data": "tiny", "net": "unknown"}}')
    with pytest.raises(DataError, match=r"settings.json cannot be read .*: collect the tables anew"):
        claimed_in_tables(work / "evidence")


def test_series_kept_one_at_a_time_leave_the_receipts_of_all_together(kept: Study, tmp_path: Path) -> None:
    parts = {"similar": [SeriesStep(kept, RUNS[:3])], "longer": [SeriesStep(kept, RUNS[3:])]}
    for name, steps in parts.items():
        write_series(name, steps, tmp_path)
        keep_receipts({name: steps}, tmp_path)
    one, other = (pd.read_csv(folder / RECEIPTS, dtype=str) for folder in (tmp_path, kept.store.work / "evidence"))
    assert one.sort_values("digest").to_numpy().tolist() == other.sort_values("digest").to_numpy().tolist()
    before = (tmp_path / RECEIPTS).read_bytes()
    keep_receipts({"longer": parts["longer"]}, tmp_path)
    assert sorted((tmp_path / RECEIPTS).read_bytes().split(b"\n")) == sorted(before.split(b"\n"))


def test_what_is_kept_of_tables_is_what_receipts_say(kept: Study) -> None:
    tables, receipts = claimed_in_tables(kept.store.work / "evidence"), claimed_in_work(kept.store.work)
    assert {claim.name: claim for claim in tables.claims} == {claim.name: claim for claim in receipts.claims}
    assert not tables.edited + receipts.edited


def test_without_the_data_nothing_is_retrained_and_the_reason_is_told(
    work: Path, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "data" / "tiny").unlink()
    code, told = verify(capsys, "--work", str(work))
    assert code == 1
    assert "none of the 9 networks" in told
    assert "data set tiny with checksum" in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--sample", "0"], "--sample 0 retrains nothing: give 1 or more"),
        (["--minutes", "-1"], "--minutes -1 is no time"),
        (["--minutes", "nan"], "--minutes nan is no time"),
        (["--minutes", "0.0001"], "no network can be retrained here in 0.0001 minutes"),
        (["--workers", "0"], "workers=0 is too small: give a whole number of 1 or more"),
    ],
)
def test_wrong_values_end_in_one_sentence(
    kept: Study, quick: None, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    code = main(["verify", "--work", str(kept.store.work), *arguments])
    assert code == 2
    assert sentence in " ".join(capsys.readouterr().err.split())


def test_networks_of_another_protocol_or_of_a_gpu_are_left_out_with_the_reason(
    kept: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    settings = [kept.setting, replace(kept.setting, protocol=1), replace(kept.setting, device="cuda")]
    studies, reasons = Site(tmp_path, (kept.store.work,)).studies(settings)
    assert list(studies) == [kept.setting]
    assert len(reasons) == 2
    assert "protocol 1 is of another version" in reasons[0]
    assert "trained on a GPU" in reasons[1]


def claim(label: str = "A3B", seed: int = 0, split: str = "random0", **changes: Any) -> Claimed:
    made = {"device": "a processor", "torch": "2.15", "numpy": "2.4", "transferkit": "0.1.0", "processes": "1"}
    plain = Claimed(SETTING, parse_run(label, split, seed), 0.5, 1.0, 1.5, "log", "weights", 1.0, made)
    return replace(plain, **changes)


WIDE = Noise((0.01, 0.1, 0.1), 9, "seeds")


@pytest.fixture
def receipt(kept: Study) -> Receipt:
    found = kept.store.find(RUNS[2], kept.setting)
    assert found
    return found


@pytest.mark.parametrize("name", ["top1", "train_loss", "valid_loss", "log", "weights"])
def test_an_edit_of_one_number_differs_however_small_it_is(receipt: Receipt, name: str) -> None:
    whole = claim_of(receipt)
    value = getattr(whole, name)
    change: dict[str, Any] = {name: value + 1e-9 if isinstance(value, float) else "0" * 16}
    edited = replace(whole, **change)
    assert judge(whole, receipt, WIDE).verdict == "the same bits"
    answer = judge(edited, receipt, WIDE)
    assert answer.verdict == "differs"
    assert "the rest is the same to the bit" in answer.note


@given(st.floats(-3, 3), st.sampled_from(["top1", "train_loss", "valid_loss"]))
def test_other_bits_are_judged_by_the_noise_of_a_seed(kept: Study, factor: float, name: str) -> None:
    receipt = kept.store.find(RUNS[2], kept.setting)
    assert receipt
    whole = claim_of(receipt)
    other = replace(
        whole, train_loss=whole.train_loss + 1e-6, valid_loss=whole.valid_loss + 1e-6, log="", weights="",
        made_with={**whole.made_with, "torch": "1.0"},
    )  # fmt: skip
    deviation = dict(zip(("top1", "train_loss", "valid_loss"), WIDE.deviations, strict=True))[name]
    for size, verdict in ((0.99, "within the noise of a seed"), (1.01 + abs(factor), "differs")):
        off = np.copysign(size * LIMIT * deviation, factor)
        change: dict[str, Any] = {name: getattr(other, name) + float(off)}
        answer = judge(replace(other, **change), receipt, WIDE)
        assert answer.verdict == verdict
    assert judge(other, receipt, None).verdict == "differs"
    assert judge(other, "the loss is nan", WIDE).note == "cannot be retrained: the loss is nan"


def test_other_bits_on_the_same_machine_are_remarked_on(receipt: Receipt) -> None:
    whole = claim_of(receipt)
    other = replace(whole, train_loss=whole.train_loss + 1e-6, valid_loss=whole.valid_loss + 1e-6, log="", weights="")
    assert judge(other, receipt, WIDE).note == "the same bits were to be expected here"


def test_another_version_or_processor_or_number_of_processes_is_told_with_what_to_expect() -> None:
    here = made_here("cpu")
    assert "expect the same bits" in expectation([claim(made_with=here)], here)
    for name in ("device", "torch", "numpy", "transferkit", "processes"):
        told = expectation([claim(made_with=here), claim(made_with=here | {name: "unheard of"})], here)
        assert f"{name} unheard of (here {here[name]})" in told
        assert "within the noise of a seed, not the same bits" in told
    assert "torch unknown" in expectation([claim(made_with={})], here)
    assert from_text(as_text(here)) == here


@given(st.lists(st.lists(st.floats(0, 1), min_size=2, max_size=4), min_size=2, max_size=5))
def test_noise_is_the_pooled_standard_deviation_over_seeds(cells: list[list[float]]) -> None:
    claims = [claim(f"A{n}B", seed, top1=top1) for n, tops in enumerate(cells, 1) for seed, top1 in enumerate(tops)]
    claims.append(claim("A1B", 0, "random1", top1=1e6))  # of another split: no seed
    noise = noise_of(claims, claims[0])
    assert noise
    freedom = sum(len(tops) - 1 for tops in cells)
    expected = np.sqrt(sum(np.var(tops, ddof=1) * (len(tops) - 1) for tops in cells) / freedom)
    assert noise.deviations[0] == pytest.approx(expected, abs=1e-12)
    assert (noise.networks, noise.over) == (sum(map(len, cells)), "seeds of AnB")


def test_noise_is_taken_from_what_is_nearest() -> None:
    splits = [claim("A3B", 0, f"random{number}") for number in range(3)]
    others = [claim("B3B", seed) for seed in range(3)]
    natural = [claim("A3B", 0, "natural")]
    assert (noise := noise_of(splits + others, splits[0]))
    assert noise.over == "seeds of all treatments"
    assert (noise := noise_of(splits + natural, splits[0]))
    assert (noise.over, noise.networks) == ("random splits of AnB", 3)
    longer = replace(SETTING, recipe=replace(SETTING.recipe, epochs=9))
    assert noise_of(splits + others, claim(setting=longer)) is None


COSTS = {"base": 30.0, "tuned": 20.0, "frozen": 3.0}


def seconds(network: Network) -> float:
    run = network[1]
    return COSTS["base" if run.source is None else "tuned" if run.finetune else "frozen"]


@given(st.integers(1, 30), st.floats(0.5, 20), st.integers(1, 4), st.integers(0, 10**6))
def test_a_sample_keeps_to_its_number_and_its_time_and_copies_come_after_their_bases(
    count: int, minutes: float, workers: int, draw: int
) -> None:
    claims = [claim(run.label, run.seed, run.split) for run in plan("random0", [0, 1], ["A3B", "A3B+", "R3B", "B2B"])]
    chains = choose(claims, count, minutes, workers, seconds, draw)
    assert chains == choose(claims, count, minutes, workers, seconds, draw)
    chosen = [network for chain in chains for network in chain]
    assert 1 <= len(chosen) == len(set(chosen)) <= count
    assert makespan([sum(map(seconds, chain)) for chain in chains], workers) <= 60 * minutes + 1e-9
    for chain in chains:
        assert {base_of(network) for network in chain} == {chain[0]}


def test_without_time_for_the_quickest_network_the_minutes_to_give_are_told() -> None:
    with pytest.raises(UsageError, match=r"the quickest takes 0.6: give --minutes 1 or more"):
        choose([claim("A3B"), claim("A3B+")], 9, 0.1, 2, seconds, 0)


def test_networks_on_few_images_are_retrained_from_bases_of_the_whole_half() -> None:
    few = replace(SETTING, recipe=replace(SETTING.recipe, images_per_class=4), source_recipe=SETTING.recipe)
    run = parse_run("A3B", "random0", 0)
    assert base_of((few, run)) == (SETTING, parse_run("baseA", "random0", 0))
    assert base_of((few, parse_run("R3B", "random0", 0)))[0] == few


def test_what_a_receipt_says_it_was_made_with_is_what_is_compared(receipt: Receipt) -> None:
    assert made_with(receipt) == made_here("cpu")
