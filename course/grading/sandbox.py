"""What a process in a sandbox may see and do: a command line for bubblewrap.

The process sees the system's libraries, Python, the library and of the course what asks, read-only, and an empty home
in memory. It sees no other file, no other process, no network and no devices. It has no privileges, cannot gain any,
and ends with its parent. Only the process that judges sees the whole course.

Inside bubblewrap's user namespace, the limit on processes counts only those of the sandbox. The limit does not apply to
root. So root first becomes an unused user, inside an outer sandbox that shows no more than the inner one: Python may be
installed where only root can read.
"""

import os
import secrets
import shutil
import site
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from course.asking.limits import SandboxLimits

LIBRARY, COURSE = "transferkit", "course"  # what a sandbox shows of this installation
ASKING = ("__init__.py", "__init__.pyi", "asking")  # what it shows of the course to a stranger's code
HOME = "/tmp"
PROBE_SECONDS = 180.0  # importing torch from a cold disk has taken 37
_NOBODY = range(61184, 65520)  # user ids that systemd reserves for short-lived users
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")
_ENCLOSED = ("--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent", "--new-session")


def contained(command: Sequence[str], limits: SandboxLimits, *, judges: bool = False) -> list[str]:
    """The command line that runs `command` in a sandbox, which shows what judges only with `judges`."""
    view = _view(limits, judges)
    shm = ("--size", str(limits.file), "--tmpfs", "/dev/shm")
    own = ("--proc", "/proc", "--dev", "/dev", *shm, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME)
    inner = ["bwrap", *_ENCLOSED, "--cap-drop", "ALL", *view, *own, "--", *command]
    return [*_leave_root(view), *inner] if os.geteuid() == 0 else inner


def why_not_contained() -> str:
    """Try a sandbox; return in a sentence why it does not work here, or an empty string if it does."""
    if not shutil.which("bwrap"):
        return "bubblewrap (bwrap) is not installed here."
    probe = contained([sys.executable, "-c", "import course.asking"], SandboxLimits())
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
    """The folders of the library and of the course."""
    return [*_folders(LIBRARY), *_folders(COURSE)]


def _folders(package: str) -> list[Path]:
    spec = find_spec(package)
    assert spec is not None
    return [Path(folder).absolute() for folder in spec.submodule_search_locations or ()]


def _view(limits: SandboxLimits, judges: bool) -> list[str]:
    view: list[str] = []
    for path in map(Path, _SYSTEM):
        if path.is_symlink():
            view += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            view += _shown(path)
    view += ["--perms", "1777", "--size", str(limits.disk), "--tmpfs", HOME]
    for path in _distinct([*_python_folders(), *_folders(LIBRARY)]):
        view += _shown(path)
    for course in _folders(COURSE):
        view += _shown(course) if judges else _in_part(course)
    return view if judges else [*view, *_other_copies()]


def _shown(path: Path) -> list[str]:
    return [*_opened(path), "--ro-bind", str(path), str(path)]


def _opened(path: Path) -> list[str]:
    """Make the folders above a path, which would else be unreadable."""
    parents = [str(parent) for parent in reversed(path.parents[:-1]) if str(parent) != HOME]
    return [word for parent in parents for word in ("--perms", "0755", "--dir", parent)]


def _in_part(course: Path) -> list[str]:
    """Of the course's folder, what asks; the rest is not there, even where a folder above is shown."""
    parts = [str(course / name) for name in ASKING if (course / name).exists()]
    shown = [word for part in parts for word in ("--ro-bind", part, part)]
    return [*_opened(course), "--perms", "0755", "--tmpfs", str(course), *shown, "--remount-ro", str(course)]


def _other_copies() -> list[str]:
    """Cover other installed copies of the course: this one may run from a checkout."""
    copies = {Path(folder).resolve() / COURSE for folder in (*site.getsitepackages(), site.getusersitepackages())}
    others = sorted(copies - {course.resolve() for course in _folders(COURSE)})
    return [word for copy in others if copy.is_dir() for word in ("--tmpfs", str(copy), "--remount-ro", str(copy))]


def _python_folders() -> list[Path]:
    """The folders of Python and its packages."""
    named = {sys.base_prefix, sys.prefix, *site.getsitepackages(), site.getusersitepackages()}
    return [path for name in named for path in (Path(name).absolute(), Path(name).resolve()) if path.is_dir()]


def _distinct(paths: Iterable[Path]) -> list[Path]:
    """The folders that lie in no other one, nor in the system's."""
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(other) for other in [*kept, *map(Path, _SYSTEM)]):
            kept.append(path)
    return kept


def _leave_root(view: Sequence[str]) -> list[str]:
    user = str(secrets.choice(_NOBODY))
    rights = ("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    shown = (*view, "--bind", "/proc", "/proc", "--dev", "/dev")
    enter = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--die-with-parent", *rights, *shown, "--"]
    return [*enter, "setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"]
