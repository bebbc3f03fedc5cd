"""The command line, `python -m transferkit COMMAND`, also installed as `transferkit`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

from transferkit import __version__
from transferkit.commands import COMMANDS, Command
from transferkit.errors import TransferkitError, UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 when done, 1 when something failed, 2 for wrong usage, 130 when interrupted."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="transferkit: %(message)s")
    try:
        options.run(options)
    except TransferkitError as problem:
        if options.debug:
            raise
        _complain(f"transferkit: {problem}", style="bold red")
        return 2 if isinstance(problem, UsageError) else 1
    except KeyboardInterrupt:
        _complain("stopped; what is done is kept, the same command goes on from there.", style="bold")
        return 130
    return 0


def commands() -> tuple[Command, ...]:
    """The library's commands, and those of installed packages that bring some, as the course does."""
    brought = (entry.load() for entry in sorted(entry_points(group="transferkit.commands"), key=lambda it: it.name))
    return (*COMMANDS, *(command for several in brought for command in several))


def parser() -> argparse.ArgumentParser:
    """The parser of every command, for `main` and for tests of command lines."""
    top = argparse.ArgumentParser(prog="transferkit", description="How transferable are the features of a network?")
    top.add_argument("--version", action="version", version=f"transferkit {__version__}")
    several = top.add_subparsers(required=True, metavar="COMMAND")
    for command in commands():
        own = several.add_parser(command.name, help=command.purpose, description=f"{command.purpose.capitalize()}.")
        command.add_options(own)
        own.set_defaults(run=command.run)
    return top


def _complain(sentence: str, style: str) -> None:
    from rich.console import Console

    Console(stderr=True, emoji=False).print(sentence, style=style, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
