"""The command line, `python -m transferkit COMMAND`, also installed as `transferkit`: the commands are below.

What a command does is imported only when it is called, so that help and wrong usage are answered at once.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from transferkit import __version__
from transferkit.batch.options import add_options as add_batch_options
from transferkit.config import presets
from transferkit.errors import TransferkitError, UsageError
from transferkit.grading.options import add_options as add_grade_options
from transferkit.work import work_folder

COMMANDS = (
    ("plan", "grid", "print what a sweep would train, what is already there, and how many minutes are to go"),
    ("sweep", "grid", "train every network of the grid that is not there yet"),
    ("figures", "grid", "draw Figure 2, random filters and conv1 of what is there, write grid.csv"),
    ("filters", "filters", "find the Gabors and colour blobs in a first layer: of the bases, or of any --weights"),
)

TRAINING = ("sweep", "evidence")  # in workers, which import torch while this process does


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 when done, 1 when something failed, 2 for wrong usage, 130 when interrupted."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="transferkit: %(message)s")
    try:
        if options.command in TRAINING and not getattr(options, "scheduler", None):
            _fork_soon()
        module = importlib.import_module(f"transferkit.commands.{options.module}")
        getattr(module, options.command)(options)
    except TransferkitError as problem:
        if options.debug:
            raise
        _complain(f"transferkit: {problem}", style="bold red")
        return 2 if isinstance(problem, UsageError) else 1
    except KeyboardInterrupt:
        _complain("stopped; what is done is kept, the same command goes on from there.", style="bold")
        return 130
    return 0


def _fork_soon() -> None:
    from transferkit.family import fork_soon

    fork_soon()


def _complain(sentence: str, style: str) -> None:
    from rich.console import Console

    Console(stderr=True).print(sentence, style=style, markup=False, highlight=False, soft_wrap=True)


def parser() -> argparse.ArgumentParser:
    """The parser of every command, for `main` and for whoever checks a command line."""
    top = argparse.ArgumentParser(prog="transferkit", description="How transferable are the features of a network?")
    top.add_argument("--version", action="version", version=f"transferkit {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, module, purpose in COMMANDS:
        command = commands.add_parser(name, help=purpose, description=f"{purpose.capitalize()}.")
        command.set_defaults(command=name, module=module)
        _add_study_options(command)
        if name in ("plan", "sweep"):
            where = command.add_mutually_exclusive_group()
            where.add_argument("--workers", type=int, help="processes here (default: one per CPU core, or one per GPU)")
        if name == "sweep":
            where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, as in tcp://host:8786")
            command.add_argument(
                "--checkpoint-minutes", type=float, default=3.0, metavar="MINUTES", help="a network that takes longer "
                "is kept on the way every so many, and goes on from there (default: 3)"
            )  # fmt: skip
            command.add_argument(
                "--graphs", action="store_true", help="on a GPU, replay every step as a CUDA graph (not measured)"
            )
            command.add_argument(
                "--abreast", type=int, default=1, metavar="N", help="on a GPU, each process trains so many networks at "
                "once, a step of each in turn (default: 1; not measured)"
            )  # fmt: skip
            command.add_argument(
                "--deterministic", action="store_true", help="on a GPU too, the same bits every time (not measured)"
            )
        if name in ("figures", "filters"):
            command.add_argument("--out", type=Path, help="folder to write (default: figures/DATA in the work folder)")
        if name == "filters":
            _add_weights_options(command)
    for name, add_options, purpose in (
        ("doctor", _add_doctor_options, "say what this machine has and lacks, and how long everything takes on it"),
        ("evidence", _add_evidence_options, "train the networks that the claims need, write their tables, judge them"),
        ("claims", _add_claims_options, "print which claims of the paper hold, fail or are undecided, and on what"),
    ):
        command = commands.add_parser(name, help=purpose, description=f"{purpose.capitalize()}.")
        command.set_defaults(command=name, module="doctor" if name == "doctor" else "evidence")
        add_options(command)
        _add_usual_options(command)
    purpose = "run notebooks with sets of parameters, and write one page about them"
    command = commands.add_parser("batch", help=purpose, description=f"{purpose.capitalize()}.")
    command.set_defaults(command="batch", module="batch")
    add_batch_options(command)
    purpose = "try the exercises of submitted notebooks in a sandbox, and write scores and where the class is stuck"
    command = commands.add_parser("grade", help=purpose, description=f"{purpose.capitalize()}.")
    command.set_defaults(command="grade", module="grade")
    add_grade_options(command)
    return top


def _add_study_options(command: argparse.ArgumentParser) -> None:
    purposes = "; ".join(f"{preset.name}: {preset.purpose}" for preset in presets().values())
    command.add_argument("--data", default="photos", help="a prepared data set, by name or folder (default: photos)")
    command.add_argument("--preset", default="quick", help=f"{purposes} (default: quick)")
    command.add_argument("--epochs", type=int, help="other than the preset's, as a small data set needs more")
    command.add_argument(
        "--learning-rate", type=float, metavar="PEAK", help="lower than the preset's, where a training diverges"
    )
    command.add_argument(
        "--net", metavar="NAME", help="this network by the preset's recipe: small, paper, resnet-small, vit-small, "
        "convnext-small, or one of torchvision's as resnet18 (default: the preset's)"
    )  # fmt: skip
    command.add_argument("--start", type=Path, metavar="FILE", help="weights of that network that bases start from")
    command.add_argument(
        "--outputs", metavar="K", help="outputs of the last layer, or 'classes' for one per class of the half "
        "(default: the network's; that of paper has 1000)"
    )  # fmt: skip
    command.add_argument(
        "--split", default="random0", help="random0, random1 ..., apart0 ..., natural, overlap-x (default: random0)"
    )
    command.add_argument(
        "--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="seeds to train (default: 0)"
    )
    command.add_argument(
        "--runs", nargs="+", default=[], metavar="LABEL", help="only these and their bases, as in A3B+ B3B R3B"
    )
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.add_argument(
        "--precision", default="auto", help="auto, float32 or bfloat16 (default: auto, the fastest on the device)"
    )
    _add_usual_options(command)


def _add_usual_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--work", type=work_folder, help="the work folder (default: TRANSFERKIT_WORK, else ./work)")
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _add_doctor_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.add_argument("--again", action="store_true", help="measure anew what was measured before")
    command.add_argument("--quick", action="store_true", help="only look, no trial training")


def _add_evidence_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--only", nargs="+", default=[], metavar="STUDY", help="only these studies (default: all)")
    command.add_argument("--predict", action="store_true", help="only print how much is left to train")
    command.add_argument("--smoke", action="store_true", help="a few tiny networks: the whole path, no science")
    command.add_argument(
        "--splits",
        type=int,
        default=4,
        metavar="N",
        help="random splits of the studies similar and longer (default: 4)",
    )
    command.add_argument("--data", default="photos", help="of all studies but the dial (default: photos)")
    command.add_argument("--preset", default="quick", help="as for sweep (default: quick)")
    command.add_argument("--net", metavar="NAME", help="as for sweep (default: the preset's)")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.add_argument("--workers", type=int, help="processes here (default: one per CPU core, or one per GPU)")
    command.add_argument("--out", type=Path, help="folder of the tables (default: evidence in the work folder)")


def _add_claims_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--authors", action="store_true", help="the authors' own networks beside ours")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write one row per claim")
    command.add_argument("--evidence", type=Path, help="folder of the tables (default: evidence in the work folder)")


def _add_weights_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--weights", help="a safetensors or PyTorch file, or the name of torchvision's weights; --out is then the "
        "current folder by default"
    )  # fmt: skip
    command.add_argument("--layer", help="its layer (default: the first that looks at colour images)")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write one row per filter")


if __name__ == "__main__":
    sys.exit(main())
