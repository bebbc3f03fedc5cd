"""Pictures of every kind: used and described, or refused with a reason, but never changed silently."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from data_prep.pictures import PictureError, decode, square
from tests.data_prep.conftest import jpeg, saved

RAMP = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)  # 6 wide, 4 high
COLOUR = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=2)


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(decode(content).image)


def png(width: int, height: int, depth: int, kind: int, rows: bytes) -> bytes:
    """A PNG by hand, for what Pillow cannot write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_plain_rgb_is_not_changed() -> None:
    content = saved(Image.fromarray(COLOUR), "PNG")
    assert decode(content).change == ""
    assert np.array_equal(pixels(content), COLOUR)


def test_grey_is_repeated() -> None:
    content = saved(Image.fromarray(RAMP), "PNG")
    assert decode(content).change == "grey to RGB"
    assert np.array_equal(pixels(content), RAMP[..., None].repeat(3, axis=2))


def test_sixteen_bit_grey_keeps_its_range() -> None:
    for kind in ("PNG", "TIFF", "PPM"):
        content = saved(Image.fromarray(RAMP.astype(np.uint16) * 257), kind)
        assert "16 bits to 8" in decode(content).change, kind
        assert np.array_equal(pixels(content)[..., 0], RAMP), kind


def test_sixteen_bit_colour_is_reported_as_halved() -> None:
    wide = np.concatenate(
        [np.zeros((4, 1), ">u2").view(np.uint8)[:, :1], (COLOUR.astype(">u2") * 257).reshape(4, -1).view(np.uint8)],
        axis=1,
    )
    content = png(6, 4, 16, 2, wide.tobytes())
    assert decode(content).change == "16 bits to 8"
    assert np.array_equal(pixels(content), COLOUR)


def test_cmyk_becomes_rgb() -> None:
    content = saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
    assert decode(content).change == "CMYK to RGB"
    assert np.allclose(pixels(content), (255, 0, 0), atol=3)


def test_a_palette_becomes_its_colours() -> None:
    image = Image.fromarray(COLOUR).quantize(24)
    assert decode(saved(image, "PNG")).change == "palette to RGB"
    assert np.array_equal(pixels(saved(image, "PNG")), np.asarray(image.convert("RGB")))


def test_transparency_is_laid_on_white_and_opaque_alpha_dropped() -> None:
    clear = Image.fromarray(np.dstack([COLOUR, np.full((4, 6), 0, np.uint8)]))
    opaque = Image.fromarray(np.dstack([COLOUR, np.full((4, 6), 255, np.uint8)]))
    assert decode(saved(clear, "PNG")).change == "laid on white"
    assert (pixels(saved(clear, "PNG")) == 255).all()
    assert decode(saved(opaque, "PNG")).change == "opaque alpha dropped"
    assert np.array_equal(pixels(saved(opaque, "PNG")), COLOUR)
    keyed = saved(Image.fromarray(COLOUR), "PNG", transparency=tuple(COLOUR[0, 0].tolist()))
    assert (pixels(keyed)[0, 0] == 255).all()
    assert np.array_equal(pixels(keyed)[1:], COLOUR[1:])


@pytest.mark.parametrize("turn", range(2, 9))
def test_exif_rotation_is_carried_out(turn: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    content = saved(Image.fromarray(COLOUR), "PNG", exif=exif)
    assert decode(content).change == "turned as its EXIF data say"
    flips = {2: COLOUR[:, ::-1], 3: COLOUR[::-1, ::-1], 4: COLOUR[::-1], 5: COLOUR.swapaxes(0, 1),
             6: np.rot90(COLOUR, -1), 7: COLOUR.swapaxes(0, 1)[::-1, ::-1], 8: np.rot90(COLOUR, 1)}  # fmt: skip
    assert np.array_equal(pixels(content), flips[turn])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"hello", "none of JPEG"),
        (jpeg()[:20], "beginning is damaged|cannot be decoded"),
        (jpeg(width=400, height=300)[:-900], "truncated"),
        (png(6, 4, 8, 2, b"\0" * 10), "truncated"),
        (png(60000, 60000, 8, 0, b""), "decompression bomb"),
        (png(12000, 9000, 8, 0, b""), "decompression bomb"),
        (saved(Image.fromarray(RAMP.astype(np.float32)), "TIFF"), "type F"),
        (saved(Image.fromarray(RAMP.astype(np.int32)), "TIFF"), "32-bit"),
        (saved(Image.new("LAB", (4, 4)), "TIFF"), "type LAB"),
        (saved(Image.new("1", (8, 8)), "GIF", save_all=True, append_images=[Image.new("1", (8, 8), 1)]), "2 pictures"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_has_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        decode(content)


@given(st.integers(1, 400), st.integers(0, 255))
def test_damaged_bytes_never_raise_anything_else(place: int, value: int) -> None:
    content = bytearray(jpeg())
    content[place % len(content)] = value
    with contextlib.suppress(PictureError):
        decode(bytes(content))


def test_damaged_exif_data_are_reported() -> None:
    content = jpeg(exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0" + b"\x12\x01\x03\0\x01\0\0\0")
    assert "Pillow warned" in decode(content).change


@given(st.integers(1, 40), st.integers(1, 40), st.integers(8, 24))
def test_the_middle_square_is_what_is_kept(width: int, height: int, size: int) -> None:
    shades = np.random.default_rng(width * 41 + height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    fitted = square(Image.fromarray(shades), size)
    assert fitted.shape == (3, size, size)
    assert fitted.dtype == np.uint8
    mirrored = square(Image.fromarray(shades[::-1, ::-1].copy()), size)
    assert np.abs(mirrored[:, ::-1, ::-1].astype(int) - fitted).max() <= 1  # nothing is off the middle


def test_crop_leaves_the_sides_out_and_squash_keeps_them() -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, :10], wide[:, 20:] = 255, 255
    assert square(Image.fromarray(wide), 10).max() == 0
    squashed = square(Image.fromarray(wide), 9, "squash")
    assert squashed[:, :, 0].min() > 200 > 50 > squashed[:, :, 4].max()


def test_a_square_of_the_wanted_size_keeps_every_byte() -> None:
    shades = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    assert np.array_equal(
        square(Image.open(io.BytesIO(saved(Image.fromarray(shades), "PNG"))), 48), shades.transpose(2, 0, 1)
    )
