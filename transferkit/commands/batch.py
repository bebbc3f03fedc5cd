"""The command about notebooks."""

from transferkit.batch.command import run as batch

__all__ = ["batch"]
