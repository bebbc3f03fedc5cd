"""The answers planted for one exercise."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """`right` ones must pass, besides the lesson's own solution; `wrong` ones, by what is wrong, must not."""

    right: tuple[object, ...]
    wrong: Mapping[str, object]
