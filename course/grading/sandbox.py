"""What a process may see and do: a command line for bubblewrap.

It sees the system's libraries, Python and this library, read-only, and an empty home in memory; no other file, no other
process, no network, no devices. It has no rights, cannot get any, and ends with whoever started it.

Bubblewrap's own user namespace makes the limit on processes count those of the sandbox alone. It does not bind root, so
root first becomes a user that nobody else is, inside a first sandbox that shows this user no more than the second will:
Python may lie where only root can read.
"""

import os
import secrets
import shutil
import site
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import transferkit
from course.grading.limits import Limits

HOME = "/tmp"
PROBE_SECONDS = 180.0  # importing torch from a cold disk took 37 here
_NOBODY = range(61184, 65520)  # user ids that systemd sets aside for users who exist for a moment
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")
_ENCLOSED = ("--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent", "--new-session")


def contained(command: Sequence[str], limits: Limits) -> list[str]:
    """The command line that runs `command` in a sandbox."""
    view = _view(limits)
    shm = ("--size", str(limits.file), "--tmpfs", "/dev/shm")
    own = ("--proc", "/proc", "--dev", "/dev", *shm, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME)
    inner = ["bwrap", *_ENCLOSED, "--cap-drop", "ALL", *view, *own, "--", *command]
    return [*_leave_root(view), *inner] if os.geteuid() == 0 else inner


def why_not_contained() -> str:
    """Why nothing can be contained here, in a sentence; empty where it can be. Tries it."""
    if not shutil.which("bwrap"):
        return "bubblewrap (bwrap) is not installed here."
    probe = contained([sys.executable, "-c", "import course.exercises"], Limits())
    try:
        ended = subprocess.run(
            probe, capture_output=True, timeout=PROBE_SECONDS, env=environment(), check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"bubblewrap does not work here: {problem}."
    said = (ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
    return f"bubblewrap does not work here: {said}." if ended.returncode else ""


def environment() -> dict[str, str]:
    """All the variables that a process in the sandbox is given."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin",
        "HOME": HOME,
        "USER": "nobody",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(_package().parent),
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _package() -> Path:
    assert transferkit.__file__
    return Path(transferkit.__file__).absolute().parent


def _view(limits: Limits) -> list[str]:
    view: list[str] = []
    for path in map(Path, _SYSTEM):
        if path.is_symlink():
            view += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            view += _shown(path)
    view += ["--perms", "1777", "--size", str(limits.disk), "--tmpfs", HOME]
    for path in _python_folders():
        view += _shown(path)
    return view


def _shown(path: Path) -> list[str]:
    parents = [str(parent) for parent in reversed(path.parents[:-1]) if str(parent) != HOME]
    opened = [word for parent in parents for word in ("--perms", "0755", "--dir", parent)]  # or they might be closed
    return [*opened, "--ro-bind", str(path), str(path)]


def _python_folders() -> list[Path]:
    """Where Python, its packages and this library are, those outside of the system's folders, each named once."""
    named = {sys.base_prefix, sys.prefix, *site.getsitepackages(), site.getusersitepackages(), str(_package())}
    paths = {path for name in named for path in (Path(name).absolute(), Path(name).resolve()) if path.is_dir()}
    kept: list[Path] = []
    for path in sorted(paths):
        if not any(path.is_relative_to(other) for other in [*kept, *map(Path, _SYSTEM)]):
            kept.append(path)
    return kept


def _leave_root(view: Sequence[str]) -> list[str]:
    user = str(secrets.choice(_NOBODY))
    rights = ("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    shown = (*view, "--bind", "/proc", "/proc", "--dev", "/dev")
    enter = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--die-with-parent", *rights, *shown, "--"]
    return [*enter, "setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"]
