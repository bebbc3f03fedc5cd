"""Failures that a user can correct; each message says in one sentence what is wrong, what is allowed and what to do."""

from numbers import Integral


class TransferkitError(Exception):
    """Something failed; the command line prints the message and exits with 1."""


class UsageError(TransferkitError, ValueError):
    """A value that the user gave does not exist or is not allowed; the command line exits with 2."""


class DataError(TransferkitError):
    """A prepared data set is missing or damaged, or does not fit its use."""


class StoreError(TransferkitError):
    """The work folder could not be read or written."""


class TrainingError(TransferkitError):
    """A network could not be trained, or a frozen layer has moved."""


def whole(name: str, value: object, least: int | None = None) -> int:
    """The value as an int, which NumPy's integers become too. Raises UsageError for 1.0, True, or less than `least`."""
    allowed = "" if least is None else f" of {least} or more"
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise UsageError(f"{name} is a whole number, not {value!r}: give one{allowed}, without a point or quotes.")
    if least is not None and value < least:
        raise UsageError(f"{name}={value} is too small: give a whole number{allowed}.")
    return int(value)
