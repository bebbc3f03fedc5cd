"""The tables of the README, findings.md, evidence.md, cost.md and assistants.md, from the results in course/results.

    python -m course.book.tables

rewrites the text between their markers; a test compares.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.clean_filters import cleanness
from benchmarks.summary import headline
from course.book import advice, cost, minutes
from course.book.markers import fill, within
from course.evidence.after.page import after_sections
from course.evidence.claims import authors_evidence, judge_by_length, ledger, read_evidence
from course.evidence.claims.ledger import OF_PHOTOGRAPHS, SMALL
from course.evidence.claims.lengths import ON_LENGTH
from course.evidence.show import further
from course.figures.made import ORIGINS
from course.looking.imagenet import imagenet_fits
from course.looking.kinds import KINDS
from course.measures.page import sections as measures_sections
from transferkit.disk import atomic
from transferkit.results import summarise
from transferkit.results.learned import MOST_GAIN
from transferkit.treatments import CHOP_POINTS, TREATMENTS

COURSE = Path(__file__).parents[1]
RESULTS = COURSE / "results"
MEASURED = COURSE.parent / "benchmarks" / "results"
README = COURSE.parent / "README.md"
COST = COURSE / "cost.md"
ASSISTANTS = COURSE / "assistants.md"
EVIDENCE = COURSE / "evidence.md"
FINDINGS = COURSE / "findings.md"
PRACTICE = COURSE / "practice.md"
SHORT = (  # the claims that findings.md shows
    "general-1-2", "general-1-2-control", "worse-with-n", "specific-6-7", "gradual", "worse-when-dissimilar",
    "worse-when-apart", "worse-when-other-kind", "better-than-random", "dip", "boost", "boost-over-control",
    "longer-closes-gap", "learned", "stopped-early",
)  # fmt: skip
LIKENESSES_IN_WORDS = {
    "cosine with the other half's filters": "likeness",
    "... after these were scrambled": "likeness_scrambled",
    "... with their colours reversed": "likeness_recoloured",
    "... turned by 90 degrees": "likeness_turned",
}
CLEAN_IN_WORDS = {
    "r2": "R2, median",
    "kinds": "Gabors, edges and colour blobs",
    "full": "Gabors with a whole wavelength in sight",
    "inside": "of Gabors and edges: wavelength inside the bounds of the fit",
}
LIKENESSES = tuple(LIKENESSES_IN_WORDS.values())


def sections(results: Path) -> dict[str, str]:
    """The text between the markers, by the marker's name."""
    evidence = read_evidence(results / "evidence")
    assert evidence.similar is not None
    assert evidence.dissimilar is not None
    assert evidence.lengths is not None
    assert evidence.conv1 is not None
    judged = pd.read_csv(results / "evidence" / "measures-judged.csv")
    ours, theirs = ledger(evidence), ledger(authors_evidence(), published=True)
    return {
        "fresh-clone": fresh_clone_rows(pd.read_csv(results / "fresh-clone.csv")),
        "photos": paired_rows(pd.read_csv(results / "photos" / "grid.csv")),
        "provenance": provenance_sentence(pd.read_csv(results / "evidence" / "provenance.csv")),
        "similar": paired_rows(evidence.similar),
        "dissimilar": paired_rows(evidence.dissimilar),
        "lengths": lengths_rows(evidence.lengths, evidence.pictures),
        "learned": learned_rows(pd.read_csv(results / "recipe-search.csv")),
        "shortcuts": shortcut_rows(pd.read_csv(results / "evidence" / "shortcuts.csv")),
        "conv1": conv1_rows(evidence.conv1),
        "clean-filters": clean_rows(pd.read_csv(results / "clean-filters.csv"), imagenet_fits()),
        "made": made_rows([table for table in (evidence.made, evidence.made_dial) if table is not None]),
        **measures_sections(judged),
        "curve-advice": advice.rows(pd.read_csv(results / "curve-advice.csv")),
        "speed": headline(pd.read_csv(MEASURED / "avx512" / "speed.csv")),
        "kill-rate": kill_rate_sentence(pd.read_csv(results / "kill-rate.csv")),
        "claims": claims_rows(ours, theirs),
        "claims-short": short_claims_rows(ours, theirs),
        **(after_sections(evidence.after) if evidence.after is not None else {}),
    }


def paired_rows(table: pd.DataFrame) -> str:
    """Mean paired differences in points by treatment and n, with the half-width of their interval if there is one."""
    cells = summarise(table)
    summary = cells.set_index(["treatment", "n"])
    bases = 100 * table[table["treatment"] == "base"]["top1"]
    counts = cells[cells["n"] > 0]["count"]
    few, many = counts.min(), counts.max()
    lines = [
        f"Bases: {len(bases)} networks, {bases.min():.1f} to {bases.max():.1f} %; "
        f"{few if few == many else f'{few} to {many}'} networks per cell.",
        "",
        "| treatment | " + " | ".join(f"n={n}" for n in CHOP_POINTS) + " |",
        "|---|" + "---|" * len(CHOP_POINTS),
    ]
    for treatment in (name for name in TREATMENTS[1:] if name in set(table["treatment"])):
        lines += ["| " + " | ".join([treatment, *(_cell(summary, treatment, n) for n in CHOP_POINTS)]) + " |"]
    return "\n".join(lines)


def claims_rows(ours: pd.DataFrame, authors: pd.DataFrame) -> str:
    """A row per claim: our verdict, estimate and interval, and those from the authors' networks."""
    lines = ["| claim | source | statistic | these networks | the authors' |", "|---|---|---|---|---|"]
    for own, theirs in zip(ours.to_dict("records"), authors.to_dict("records"), strict=True):
        statistic, found = (f"{own['statistic']} ({own['unit']})", "; ".join([_verdict(own), *_remarks(own)]))
        cells = (own["sentence"], own["source"], statistic, found, _verdict(theirs))
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def short_claims_rows(ours: pd.DataFrame, authors: pd.DataFrame) -> str:
    """The claims of SHORT, without their statistics."""
    lines = ["| claim | these networks | the authors' |", "|---|---|---|"]
    for own, theirs in zip(ours.to_dict("records"), authors.to_dict("records"), strict=True):
        if own["claim"] in SHORT:
            lines.append(f"| {own['sentence']} | {_verdict(own)} | {_verdict(theirs)} |")
    return "\n".join(lines)


def lengths_rows(lengths: pd.DataFrame, pictures: pd.DataFrame | None = None) -> str:
    """The verdict and the estimate of each claim after each number of epochs, and the bases' top-1."""
    judged = judge_by_length(lengths, pictures)
    bases = 100 * lengths[lengths["treatment"] == "base"].groupby("epochs")["top1"].mean()
    lines = [
        "| had training ended after | " + " | ".join(f"{epochs} epochs" for epochs in bases.index) + " |",
        "|---|" + "---|" * len(bases),
        "| top-1 of the bases | " + " | ".join(f"{top1:.1f} %" for top1 in bases) + " |",
    ]
    for sentence, rows in judged.groupby("sentence", sort=False):
        cells = [f"**{row['verdict']}** {row['estimate']:+.1f}" for row in rows.to_dict("records")]
        lines.append(f"| {sentence} | {' | '.join(cells)} |")
    return "\n".join(lines)


def learned_rows(search: pd.DataFrame) -> str:
    """What bases gain from twice the epochs under each recipe that was tried, cheapest first."""
    heads = "data | preset | images a class | epochs | images in all | top-1 | twice the epochs | R2"
    lines = [f"| {heads} |", "|---" * 8 + "|"]
    for row in search.sort_values("thousand_images").to_dict("records"):
        data = row["views"] if row["views"] == "shapeworld" else f"photos, {row['views']} views"
        gain = f"{row['gain']:+.1f} ({row['gain_low']:+.1f} to {row['gain_high']:+.1f})"
        gain = f"**{gain}**" if row["gain"] < MOST_GAIN else gain
        recipe = f"{row['preset']} | {row['images_per_class']} | {row['epochs']} | {row['thousand_images']:.0f},000"
        lines.append(f"| {data} | {recipe} | {100 * row['top1']:.1f} % | {gain} | {row['r2']:.2f} |")
    return "\n".join(lines)


def conv1_rows(table: pd.DataFrame) -> str:
    """Of each data set the means over its bases: the kinds of filters, R2, and likeness, each beside its controls."""
    names = list(dict.fromkeys(table["data"]))
    means = table.groupby("data")[[*KINDS, "scrambled", "r2", "r2_scrambled", *LIKENESSES]].mean()
    lines = [f"| first layers of | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    lines.append(f"| base networks | {' | '.join(str((table['data'] == name).sum()) for name in names)} |")
    shares = {kind.capitalize(): kind for kind in KINDS} | {"Gabor, edge or colour blob after scrambling": "scrambled"}
    for words, column in shares.items():
        lines.append(f"| {words} | {' | '.join(f'{100 * means[column][name]:.0f} %' for name in names)} |")
    values = {"R2, median": "r2", "R2 after scrambling": "r2_scrambled"} | LIKENESSES_IN_WORDS
    for words, column in values.items():
        lines.append(f"| {words} | {' | '.join(f'{means[column][name]:.2f}' for name in names)} |")
    return "\n".join(lines)


def clean_rows(table: pd.DataFrame, imagenet: pd.DataFrame) -> str:
    """How clean the filters of conv1 are under each preset, beside scrambled ones, and those that ImageNet trained."""
    presets = [rows for _, rows in table.groupby("preset", sort=False)]
    heads = [f"{rows['data'].iloc[0]}, preset {rows['preset'].iloc[0]}" for rows in presets]
    lines = [f"| mean over bases (scrambled) | {' | '.join(heads)} | SqueezeNet, ImageNet |", "|---" * 4 + "|"]
    counts = (f"{len(rows)}, {rows['filters'].iloc[0]}" for rows in presets)
    lines.append(f"| bases, filters of each | {' | '.join(counts)} | 1, {len(imagenet)} |")
    theirs = cleanness(imagenet)
    for name, words in CLEAN_IN_WORDS.items():
        form = "{:.2f}" if name == "r2" else "{:.0%}"
        cells = [f"{form.format(r[name].mean())} ({form.format(r[f'{name}_scrambled'].mean())})" for r in presets]
        lines.append(f"| {words} | {' | '.join(cells)} | {form.format(theirs[name])} |")
    top1 = [f"{rows['top1'].mean():.1%}, {rows['seconds'].mean():.0f} s" for rows in presets]
    lines.append(f"| top-1; seconds of one base, two at a time | {' | '.join(top1)} | |")
    return "\n".join(lines)


def made_rows(tables: Sequence[pd.DataFrame]) -> str:
    """Mean paired differences by the origin of conv1's filters: two columns per data set, frozen and fine-tuned."""
    parts = {str(table["data"].iloc[0]): summarise(table[table["n"] == 1]) for table in tables}
    heads = [f"{name}, {fate}" for name in parts for fate in ("frozen", "fine-tuned")]
    lines = [f"| | filters of conv1 | {' | '.join(heads)} |", "|---" * (2 + len(heads)) + "|"]
    indexed = [part.set_index(["treatment", "n"]) for part in parts.values()]
    for treatment, origin in ORIGINS.items():
        cells = (_cell(part, f"{treatment}{plus}", 1) for part in indexed for plus in ("", "+"))
        lines.append(f"| {treatment[0]} | {origin} | {' | '.join(cells)} |")
    return "\n".join(lines)


def shortcut_rows(table: pd.DataFrame) -> str:
    """Top-1 of methods without learned features beside the base, by data set: the mean over halves and the range."""
    cells = (100 * table["top1"]).groupby([table["method"], table["data"]]).agg(["mean", "min", "max"])
    names = list(dict.fromkeys(table["data"]))
    order = cells.xs(names[0], level="data")["mean"].sort_values().index
    lines = [f"| method | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    for method in order:
        found = [cells.loc[(method, name)] for name in names]
        told = [f"{one['mean']:.1f} % ({one['min']:.1f} to {one['max']:.1f})" for one in found]
        lines.append(f"| {method} | {' | '.join(told)} |")
    return "\n".join(lines)


def fresh_clone_rows(rows: pd.DataFrame) -> str:
    """What a fresh clone took, on each machine that was measured."""
    lines = ["| machine | installing, in `.venv` | `make figures` after it |", "|---|---|---|"]
    for row in rows.to_dict("records"):
        took = {what: f"{row[what] // 60} min {row[what] % 60} s" for what in ("install_seconds", "figures_seconds")}
        lines.append(
            f"| {row['cores']} cores of {row['device']}, {row['precision']}, Python {row['python']}, torch "
            f"{row['torch']}, {row['date']} | {took['install_seconds']}, {row['venv_bytes'] / 1e9:.1f} GB | "
            f"{took['figures_seconds']} for {row['networks']} networks, {row['work_bytes'] / 1e6:.0f} MB in `work/` |"
        )
    return "\n".join(lines)


def provenance_sentence(rows: pd.DataFrame) -> str:
    """How many networks were trained, on what, with what and when, over all series together."""
    values = rows.drop_duplicates(["key", "value"]).groupby("key")["value"].agg(" and ".join)
    first, last = rows.loc[rows["key"] == "first", "value"].min(), rows.loc[rows["key"] == "last", "value"].max()
    began = first[11:16] if first[:10] == last[:10] else f"{first[11:16]} UTC on {first[:10]}"
    return (
        f"{int(values['networks']):,} networks, {values['precision']}, on {values['device']}; torch "
        f"{values['torch version']}, Python {values['python version']}; trained from {began} to "
        f"{last[11:16]} UTC on {last[:10]}."
    )


def kill_rate_sentence(rows: pd.DataFrame) -> str:
    """How many planted answers the checks of the exercises judge as they should."""
    total = rows[["planted", "found", "right", "refused"]].sum()
    return (
        f"The checks of the {len(rows)} exercises find {total['found']} of {total['planted']} planted wrong "
        f"answers and refuse {total['refused']} of {total['right']} right ones ([table](course/results/kill-rate.csv))."
    )


def main() -> None:
    """Rewrite the README and the pages."""
    found = sections(RESULTS)
    for page in (README, FINDINGS, PRACTICE, EVIDENCE):
        text = page.read_text()
        atomic.write_bytes(page, fill(text, within(text, found)).encode())
    atomic.write_bytes(COST, fill(COST.read_text(), cost.sections(cost.read_rates())).encode())
    taken = {
        "lesson-minutes": minutes.rows(pd.read_csv(minutes.TABLE)),
        "first-pictures": minutes.waits(pd.read_csv(minutes.WAITS)),
    }
    atomic.write_bytes(ASSISTANTS, fill(ASSISTANTS.read_text(), taken).encode())


def _cell(summary: pd.DataFrame, treatment: str, n: int) -> str:
    if (treatment, n) not in summary.index:
        return ""
    mean, low, high = (100 * float(summary[column][treatment, n]) for column in ("paired", "low", "high"))
    return f"{mean:+.1f}" + ("" if pd.isna(low) else f" ±{(high - low) / 2:.1f}")


def _remarks(row: dict[object, object]) -> list[str]:
    """What the ledger's note says of the verdict itself."""
    said = (SMALL, ON_LENGTH, OF_PHOTOGRAPHS)
    return [part for part in str(row["note"]).split("; ") if any(words in part for words in said)]


def _verdict(row: dict[object, object]) -> str:
    if not row["n"]:
        return str(row["verdict"])
    low, high = float(str(row["low"])), float(str(row["high"]))
    interval = "" if pd.isna(low) else f" ({low:+.2f} to {high:+.2f})"
    words = f"**{row['verdict']}** {float(str(row['estimate'])):+.2f}{interval}, {row['n']} networks"
    if row["over"] == "seeds" and interval:
        words += f", {row['clusters']} seeds of one split"
    if row["over"] == "pictures":
        words += f", over {row['clusters']} photographs"
    more = float(str(row["more"]))
    if row["verdict"] == "undecided" and more > 0:
        words += (
            "; a thousand more would not decide" if np.isinf(more) else f"; {further(more, str(row['over']))} would"
        )
    return words


if __name__ == "__main__":
    main()
