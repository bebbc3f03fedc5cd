"""How the programs in sandboxes are asked: messages over pipes, each eight bytes of length and then its content."""

import os
from collections.abc import Callable

HEADER = 8
READY = b"ready"


def serve(requests: int, answers: int, longest: int, answer: Callable[[bytes], bytes]) -> None:
    """Say READY, then answer one request after the other until the pipe `requests` closes.

    Raises ValueError when a request is longer than `longest` bytes.
    """
    write_frame(answers, READY)
    while (request := read_frame(requests, longest)) is not None:
        write_frame(answers, answer(request))


def frame(content: bytes) -> bytes:
    """The message as it is written."""
    return len(content).to_bytes(HEADER, "little") + content


def write_frame(descriptor: int, content: bytes) -> None:
    """Write one message completely."""
    left = memoryview(frame(content))
    while left:
        left = left[os.write(descriptor, left) :]


def read_frame(descriptor: int, longest: int) -> bytes | None:
    """The next message; None when the pipe has closed. Raises ValueError if it is longer than `longest` bytes."""
    header = _read(descriptor, HEADER)
    if header is None:
        return None
    length = int.from_bytes(header, "little")
    if length > longest:
        raise ValueError(f"a message of {length} bytes is longer than {longest}.")
    return _read(descriptor, length)


def _read(descriptor: int, length: int) -> bytes | None:
    content = bytearray()
    while len(content) < length:
        piece = os.read(descriptor, min(length - len(content), 2**16))
        if not piece:
            return None
        content += piece
    return bytes(content)
