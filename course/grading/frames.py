"""Messages over a pipe: eight bytes of length, then as many bytes."""

import os

HEADER = 8


def frame(content: bytes) -> bytes:
    """The message as it is written."""
    return len(content).to_bytes(HEADER, "little") + content


def write_frame(descriptor: int, content: bytes) -> None:
    """Write one message, however many writes that takes."""
    left = memoryview(frame(content))
    while left:
        left = left[os.write(descriptor, left) :]


def read_frame(descriptor: int, longest: int) -> bytes | None:
    """The next message; None when there is none any more. Raises ValueError when it is longer than `longest` bytes."""
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
