"""What a cell prints, kept as a terminal would show it: of a progress bar its last state, in linear time.

nbclient can coalesce streams too, but only when a cell has ended well, in a time that grows with the square of a line's
length, and it moves what is printed after a picture above the picture.
"""

from collections.abc import Sequence
from copy import copy
from time import monotonic
from typing import Any

FLUSH_SECONDS = 1.0  # between two updates of the notebook while a cell prints


class Stream:
    """The text of one output; a carriage return takes back the line before it, unless a line break follows."""

    def __init__(self, output: Any) -> None:
        self.output = output
        self._done: list[str] = []
        self._line: list[str] = []  # pieces of the last line, which has no end yet
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, text: str) -> None:
        """Add what was printed next."""
        if "\n" not in text and "\r" not in text and not self._returned():
            self._line.append(text)
            self._length += len(text)
            return
        before = "".join(self._line)
        *lines, last = (_shown(line) for line in (before + text).split("\n"))
        self._done += [f"{line}\n" for line in lines]
        self._line = [last]
        self._length += sum(len(line) + 1 for line in lines) + len(last) - len(before)

    def give_up_line(self, text: str) -> str:
        """Remove and return the last line, if printing `text` next would overwrite it."""
        if not (text.startswith("\r") or self._returned()):
            return ""
        line, self._line = "".join(self._line), []
        self._length -= len(line)
        return line

    def flush(self) -> None:
        """Put the text into the output."""
        self._done = ["".join(self._done)]
        self._line = ["".join(self._line)]
        self.output.text = self._done[0] + self._line[0]

    def _returned(self) -> bool:
        return bool(self._line) and self._line[-1].endswith("\r")


class Printed:
    """What a notebook has printed: one output for all that a cell prints on one stream between two pictures."""

    def __init__(self, limit: int) -> None:
        self.left = limit  # characters that may still be kept
        self._streams: dict[str, Stream] = {}
        self._flushed = 0.0

    def add(self, outputs: list[Any], output: Any) -> None:
        """Add an output of type stream to the outputs of a cell: to that of the same name, or as a new one."""
        stream = self._streams.get(output.name)
        if stream is None or not _stands_at_end(stream, outputs):
            stream = self._begin(outputs, output)
        before = len(stream)
        stream.add(output.text)
        self.left -= len(stream) - before
        if monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Put all texts into their outputs."""
        self._flushed = monotonic()
        for stream in self._streams.values():
            stream.flush()

    def _begin(self, outputs: list[Any], output: Any) -> Stream:
        """A new stream, which takes over a line that it overwrites; an old one that was cleared gives its room back."""
        new, old = Stream(copy(output)), self._streams.get(output.name)
        if old is not None:
            place = _place(old, outputs)
            if place is None:
                self.left += len(old)
            else:
                new.add(old.give_up_line(output.text))
                old.flush()
                if not len(old):
                    del outputs[place]
        outputs.append(new.output)
        self._streams[output.name] = new
        return new


def _stands_at_end(stream: Stream, outputs: Sequence[Any]) -> bool:
    """Whether only printed text follows."""
    for one in reversed(outputs):
        if one is stream.output:
            return True
        if one.output_type != "stream":
            return False
    return False


def _place(stream: Stream, outputs: Sequence[Any]) -> int | None:
    places = range(len(outputs) - 1, -1, -1)
    return next((place for place in places if outputs[place] is stream.output), None)


def _shown(line: str) -> str:
    """What is left of a line in a terminal; a carriage return at its end has not taken anything back yet."""
    return line[line.rfind("\r", 0, max(0, len(line) - 1)) + 1 :]
