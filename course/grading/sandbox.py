"""What a process in a sandbox may see, do and use: a command line for bubblewrap, and limits.

The process sees the system's libraries, Python, the library and the course, read-only, and an empty home in memory. It
sees no other file, no other process, no network and no devices. It has no privileges, cannot gain any, and ends with
its parent.

Inside bubblewrap's user namespace, the limit on processes counts only those of the sandbox. The limit does not apply to
root. So root first becomes an unused user, inside an outer sandbox that shows no more than the inner one: Python may be
installed where only root can read.
"""

import os
import resource
import secrets
import shutil
import site
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

MEGABYTE = 2**20
PACKAGES = ("transferkit", "course")  # what a sandbox shows of this installation
HOME = "/tmp"
PROBE_SECONDS = 180.0  # importing torch from a cold disk has taken 37
_NOBODY = range(61184, 65520)  # user ids that systemd reserves for short-lived users
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")
_ENCLOSED = ("--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent", "--new-session")


@dataclass(frozen=True)
class SandboxLimits:
    """What a submission may use: `seconds` per exercise; bytes of memory, of all files, of one file and of an answer.

    `memory` limits all processes together, and is checked many times a second; a single process can never ask for more
    than twice as much. `processes` counts threads too.
    """

    seconds: float = 20.0
    memory: int = 1024 * MEGABYTE
    processes: int = 16
    disk: int = 64 * MEGABYTE
    file: int = 8 * MEGABYTE
    answer: int = 4 * MEGABYTE

    def apply(self) -> None:
        """Bind this process and everything it starts, for good."""
        address = psutil.Process().memory_info().vms + 2 * self.memory  # most of what is mapped now is libraries
        for kind, limit in (
            (resource.RLIMIT_AS, address),
            (resource.RLIMIT_CPU, int(2 * self.seconds) + 1),
            (resource.RLIMIT_FSIZE, self.file),
            (resource.RLIMIT_NOFILE, 64),
            (resource.RLIMIT_NPROC, self.processes),
            (resource.RLIMIT_CORE, 0),
        ):
            _, hard = resource.getrlimit(kind)
            lower = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(kind, (lower, lower))


def contained(command: Sequence[str], limits: SandboxLimits) -> list[str]:
    """The command line that runs `command` in a sandbox."""
    view = _view(limits)
    shm = ("--size", str(limits.file), "--tmpfs", "/dev/shm")
    own = ("--proc", "/proc", "--dev", "/dev", *shm, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME)
    inner = ["bwrap", *_ENCLOSED, "--cap-drop", "ALL", *view, *own, "--", *command]
    return [*_leave_root(view), *inner] if os.geteuid() == 0 else inner


def why_not_contained() -> str:
    """Try a sandbox; return in a sentence why it does not work here, or an empty string if it does."""
    if not shutil.which("bwrap"):
        return "bubblewrap (bwrap) is not installed here."
    probe = contained([sys.executable, "-c", "import course.exercises"], SandboxLimits())
    try:
        ended = subprocess.run(
            probe, capture_output=True, timeout=PROBE_SECONDS, env=environment(), check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"bubblewrap does not work here: {problem}."
    said = (ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
    return f"bubblewrap does not work here: {said}." if ended.returncode else ""


def environment() -> dict[str, str]:
    """All the environment variables of a process in the sandbox."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin",
        "HOME": HOME,
        "USER": "nobody",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(str(folder.parent) for folder in _packages())),
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _packages() -> list[Path]:
    """The folders of the packages that a sandbox shows."""
    specs = filter(None, map(find_spec, PACKAGES))
    return [Path(folder).absolute() for spec in specs for folder in spec.submodule_search_locations or ()]


def _view(limits: SandboxLimits) -> list[str]:
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
    opened = [word for parent in parents for word in ("--perms", "0755", "--dir", parent)]  # else unreadable
    return [*opened, "--ro-bind", str(path), str(path)]


def _python_folders() -> list[Path]:
    """The folders of Python, its packages, the library and the course that lie outside the system's, each once."""
    named = {sys.base_prefix, sys.prefix, *site.getsitepackages(), site.getusersitepackages(), *map(str, _packages())}
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
