"""How the exercises of lesson 07 are asked."""

from collections.abc import Mapping
from typing import Any

from course.asking.forms import listed, number, numbers, texts
from course.asking.frame import frame
from course.asking.plain import FormError, what


def ask_choose_network(answer: Any, given: Mapping[str, Any]) -> object:
    """Treatment, n and the promised accuracy."""
    choice = answer(frame(given["table"], given["index"]))
    if choice is None:
        return None
    items = listed(choice)
    if len(items) != 3:
        raise FormError(what(choice))
    if not isinstance(items[0], str):
        raise FormError(f"{what(choice)} that begins with {what(items[0])}")
    return [*texts(items[:1]), number(items[1]), number(items[2])]


def ask_images_to_reach(answer: Any, given: Mapping[str, Any]) -> object:
    """The number of images."""
    images = answer(list(given["images"]), list(given["top1"]), given["level"])
    return None if images is None else float(number(images))


def ask_gain_of_task(answer: Any, given: Mapping[str, Any]) -> object:
    """The two gains."""
    gains = answer(frame(given["table"], given["index"]))
    return None if gains is None else numbers(gains, 2)
