"""Decode any picture file to RGB in 8 bits, and fit it to a square; say what was changed on the way."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

Images = npt.NDArray[np.uint8]
Squaring = Literal["crop", "squash"]
SQUARINGS: tuple[Squaring, ...] = ("crop", "squash")
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # Pillow's names; JPEG includes the MPO of phones
ENDINGS = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"])
RAW_ENDINGS = frozenset([".dng", ".nef", ".cr2", ".cr3", ".arw", ".orf", ".rw2", ".raf", ".pef"])  # of cameras
UNREAD_ENDINGS = RAW_ENDINGS | {".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd", ".svg"}  # pictures all the same
MOST_PIXELS = Image.MAX_IMAGE_PIXELS or 2**26  # Pillow's own limit, some 89 million
MOST_BYTES = 2**28  # of one file


class PictureError(Exception):
    """A picture cannot be used; the message says why in a few words."""


@dataclass(frozen=True)
class Decoded:
    """An upright RGB picture, and what was changed to get it ("" for nothing)."""

    image: Image.Image
    change: str = ""


class Pictures(Protocol):
    """The pictures of a data set. Worker processes get a copy, so it holds paths rather than open files."""

    def picture(self, place: str) -> Decoded:
        """The picture at `place`. Raises PictureError."""


def decode(content: bytes) -> Decoded:
    """The picture in a file. Raises PictureError when it is damaged, a decompression bomb, or of an unknown range.

    Colour profiles are not applied, as is usual in the field. A phone's JPEG may hold several pictures, and the first
    one is taken. Any other file with several pictures is refused, because it does not say which one is meant.
    """
    if not content:
        raise PictureError("the file is empty")
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = _decode(content)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise PictureError(f"it unpacks to more than {MOST_PIXELS} pixels (a decompression bomb?)") from None
        except UnidentifiedImageError:
            if content[4:8] == b"ftyp":
                raise PictureError("it is HEIC or AVIF by its content: convert it to JPEG or PNG") from None
            raise PictureError(f"it is none of {', '.join(FORMATS)}, or its beginning is damaged") from None
        except PictureError:
            raise
        except Exception as problem:  # a damaged file can raise almost anything
            raise PictureError(f"it cannot be decoded: {problem}") from None
    warned = "; ".join(dict.fromkeys(f"Pillow warned: {one.message}" for one in heard))
    return Decoded(picture.image, "; ".join(filter(None, (picture.change, warned))))


def looks_like_picture(path: Path) -> bool:
    """Whether a file begins as a picture of FORMATS does, whatever its name. Raises OSError when it cannot be opened.

    The raw pictures of cameras begin like TIFF, but what can be decoded in them is a thumbnail, so they are none.
    """
    if path.suffix.lower() in RAW_ENDINGS:
        return False
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoding will say it again
        try:
            Image.open(file, formats=FORMATS)
        except Image.DecompressionBombError:
            return True
        except Exception:  # a file of any content can raise almost anything
            return False
    return True


def square(image: Image.Image, size: int, shape: Squaring = "crop") -> Images:
    """Resize to uint8 3 x `size` x `size` with Pillow's antialiased bilinear filter, also torchvision's default.

    `crop` takes the largest square in the middle, as Krizhevsky et al. 2012 did. `squash` keeps the whole picture and
    ignores its aspect ratio, as Caffe's tools did for the paper (convert_imageset with a resize height and width of
    256, though without antialiasing).
    """
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side) if shape == "crop" else (0, 0, *image.size)
    resized = image.resize((size, size), Image.Resampling.BILINEAR, box)
    return np.ascontiguousarray(np.asarray(resized).transpose(2, 0, 1))


def _decode(content: bytes) -> Decoded:
    image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise PictureError(f"it holds {getattr(image, 'n_frames', 1)} pictures")
    deep = any("16" in str(tile[3]) for tile in getattr(image, "tile", ()))  # Pillow halves 16-bit colour silently
    image.load()
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) not in (0, 1)
    upright = ImageOps.exif_transpose(image) if turned else image
    rgb, change = _to_rgb(upright)
    notes = (change, "16 bits to 8" if deep else "", "turned as its EXIF data say" if turned else "")
    return Decoded(rgb, "; ".join(filter(None, notes)))


def _to_rgb(image: Image.Image) -> tuple[Image.Image, str]:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image, ""
    if image.mode.startswith("I"):
        return _from_integers(image), "grey to RGB"
    if "A" in image.mode.upper().replace("LAB", "") or "transparency" in image.info:
        return _over_white(image.convert("RGBA"))
    names = {"L": "grey", "1": "black and white", "P": "palette", "CMYK": "CMYK", "YCbCr": "YCbCr"}
    if image.mode not in names:
        raise PictureError(f"its pixels are of type {image.mode}, whose range is not known")
    return image.convert("RGB"), f"{names[image.mode]} to RGB"


def _over_white(image: Image.Image) -> tuple[Image.Image, str]:
    lowest, _ = image.getchannel("A").getextrema()
    if lowest == 255:
        return image.convert("RGB"), "opaque alpha dropped"
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"), "laid on white"


def _from_integers(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if image.format not in ("PNG", "PPM", None) and not image.mode.startswith("I;16"):
        raise PictureError("its pixels are 32-bit integers, whose range is not known")
    return Image.fromarray((values >> 8).astype(np.uint8)).convert("RGB")
