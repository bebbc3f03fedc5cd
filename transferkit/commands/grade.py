"""The command about submitted notebooks."""

from transferkit.grading.command import run as grade

__all__ = ["grade"]
