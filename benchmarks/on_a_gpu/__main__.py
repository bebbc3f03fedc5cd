"""The command; it imports nothing but the standard library, since other packages may have to be installed first."""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import benchmarks.on_a_gpu as package
from benchmarks.on_a_gpu import wheels
from benchmarks.on_a_gpu.driver import BUDGETS, Log, Step, run_steps

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run all steps; 0 when each of them was done. Or collect wheels."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a step does not outlive this process
    chosen = _options()
    if chosen.collect is not None:
        wheels.collect(chosen.collect, ROOT)
        return 0
    usual = ROOT / "work" / "on-a-gpu-dry-run" if chosen.dry_run else ROOT / "benchmarks" / "results" / "gpu"
    out = (chosen.out or Path(os.environ.get("OUT") or usual)).absolute()
    with tempfile.TemporaryDirectory() as scratch:
        installed = Path(scratch) / "packages"
        log = Log(out, {"arguments": sys.argv[1:], **wheels.provide(wheels.NEEDED, wheels.folder(ROOT), installed)})
        path = os.pathsep.join(filter(None, [str(installed), str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path, "TRANSFERKIT_WORK": str(Path(scratch) / "work")}
        left = 60 * chosen.minutes - (time.monotonic() - began)
        outcomes = run_steps(_steps(chosen, out), log, left, environment)
    sys.stdout.write("\n".join([f"the results are in {out}", *(f"{name}: {how}" for name, how in outcomes), ""]))
    return int(any(how != "done" for _, how in outcomes))


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        "benchmarks.on_a_gpu", description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options.add_argument("--out", type=Path)
    options.add_argument("--data", type=Path, help="a prepared folder of 48-pixel images, instead of drawing one")
    options.add_argument("--minutes", type=float, default=9, help="for all steps together (default: 9)")
    options.add_argument("--steps", nargs="+", choices=tuple(BUDGETS), default=tuple(BUDGETS))
    options.add_argument("--dry-run", action="store_true", help="the smallest sizes: it measures nothing")
    options.add_argument("--collect", nargs="*", metavar="NAME", help="only download wheels to bring along")
    return options.parse_args()


def _steps(chosen: argparse.Namespace, out: Path) -> list[Step]:
    more = ["--device", chosen.device, "--out", str(out)]
    more += ["--data", str(chosen.data.absolute())] if chosen.data else []
    more += ["--dry-run"] if chosen.dry_run else []
    command = (sys.executable, "-m", "benchmarks.on_a_gpu.steps")
    times = 10 if chosen.dry_run else 1  # it measures nothing, perhaps on a busy machine
    return [Step(name, times * BUDGETS[name], (*command, name, *more)) for name in BUDGETS if name in chosen.steps]


if __name__ == "__main__":
    sys.exit(main())
