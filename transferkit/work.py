"""Where the work folder is: prepared data, receipts, weights and figures live there and nowhere else."""

import os
import shlex
from pathlib import Path

from transferkit.errors import UsageError


def find_work_folder() -> Path:
    """`TRANSFERKIT_WORK` if set, else `work` in the checkout around the current folder, else `./work`."""
    if named := os.environ.get("TRANSFERKIT_WORK"):
        return work_folder(named)
    here = Path.cwd()
    checkouts = (folder for folder in (here, *here.parents) if (folder / "transferkit" / "py.typed").is_file())
    return next(checkouts, here) / "work"


def work_folder(named: str) -> Path:
    """The folder that somebody names, as in `--work ~/mine`, with its whole path: a process elsewhere takes it too.

    Raises UsageError when it is in the home of nobody that this machine knows.
    """
    try:
        return Path(named).expanduser().absolute()
    except RuntimeError:
        raise UsageError(f"'{named}' is in the home of nobody known here: give the folder's whole path.") from None


def prepared_folder(work: Path, data: str) -> Path:
    """The folder of the prepared data set `data`: a name of one in the work folder, or itself a folder.

    Raises UsageError when neither exists, with the names that do and the command that prepares it in this work folder.
    """
    named = work / "data" / data
    if named.is_dir():
        return named
    if os.sep in data and Path(data).is_dir():
        return Path(data).absolute()
    there = sorted(folder.name for folder in (work / "data").glob("[!.]*") if folder.is_dir())
    out = "" if work == find_work_folder() else f" --out {shlex.quote(str(named))}"
    raise UsageError(
        f"no prepared data set '{data}' (prepared in {work}: {', '.join(there) or 'none'}): run "
        f"'python -m data_prep {data}{out}', or give the path of a prepared folder."
    )
