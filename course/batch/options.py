"""The options of `python -m transferkit batch`, apart from what carries them out: help imports nothing heavy."""

import argparse
from pathlib import Path

from transferkit.disk.prepared import work_folder

DEFAULT_MINUTES = 180.0


def add_options(command: argparse.ArgumentParser) -> None:
    """What `batch` takes."""
    command.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK", help="notebooks, or folders of them")
    command.add_argument("--grid", type=Path, metavar="FILE", help="sets of parameters in YAML: a product or a list")
    command.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="a parameter of every notebook",
    )  # fmt: skip
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for notebooks and the report")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, help="notebooks at once (default: one per GPU, or per two CPU cores)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, as in tcp://host:8786")
    command.add_argument(
        "--timeout", type=float, default=DEFAULT_MINUTES, metavar="MIN",
        help=f"minutes that one notebook may take, 0 for no limit (default: {DEFAULT_MINUTES:g})",
    )  # fmt: skip
    command.add_argument(
        "--retries",
        type=int,
        default=0,
        metavar="N",
        help="times to try again a notebook that failed, timed out or died (default: 0)",
    )
    command.add_argument("--per-gpu", type=int, default=1, metavar="N", help="notebooks on one GPU (default: 1)")
    command.add_argument("--work", type=work_folder, help="the work folder (default: TRANSFERKIT_WORK, else ./work)")
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")
