"""The options of `python -m transferkit grade`, apart from what carries them out: help imports nothing heavy."""

import argparse
from pathlib import Path

DEFAULT_SECONDS = 20.0


def add_options(command: argparse.ArgumentParser) -> None:
    """What `grade` takes."""
    command.add_argument(
        "submissions", type=Path, metavar="SUBMISSIONS", help="folder of notebooks, or of one folder per student"
    )
    command.add_argument(
        "--lesson", required=True, metavar="NN", help="the lesson whose exercises are graded, as in 04"
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to write (default: grades/NN in the work folder)"
    )
    command.add_argument("--workers", type=int, metavar="N", help="notebooks at once (default: one per CPU core)")
    command.add_argument(
        "--seed", type=int, metavar="N", help="seed of the random cases (default: drawn once, and kept in DIR)"
    )
    command.add_argument(
        "--seconds", type=float, default=DEFAULT_SECONDS, metavar="N",
        help=f"that one answer may take for all its cases (default: {DEFAULT_SECONDS:g})",
    )  # fmt: skip
    command.add_argument(
        "--uncontained", action="store_true", help="run submitted code without a sandbox, with this user's rights"
    )
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")
