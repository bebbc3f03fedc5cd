"""How the exercises of lesson 07 are asked."""

from collections.abc import Mapping
from typing import Any

from course.asking.frame import frame


def ask_choose_network(answer: Any, given: Mapping[str, Any]) -> object:
    """Treatment, n and the promised accuracy."""
    choice = answer(frame(given["table"]))
    if choice is None:
        return None
    treatment, n, top1 = choice
    return [str(treatment), int(n), float(top1)]


def ask_images_to_reach(answer: Any, given: Mapping[str, Any]) -> object:
    """The number of images."""
    images = answer(list(given["images"]), list(given["top1"]), given["level"])
    return None if images is None else float(images)


def ask_gain_of_task(answer: Any, given: Mapping[str, Any]) -> object:
    """The two gains."""
    gains = answer(frame(given["table"]))
    return None if gains is None else [float(one) for one in gains]
