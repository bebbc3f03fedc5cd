"""The 80 classes of `photos`: places in photographs of two packages, chosen by looking at them.

A place is (x, y) in pixels of its photograph. Something man-made or something natural fills most of a view of it; the
widest views also show what is next to it, such as the sky behind a roof or the lawn behind a tripod.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from transferkit.errors import DataError

_SKIMAGE = ("skimage", "data", "scikit-image 0.26")
_SKLEARN = ("sklearn", "datasets/images", "scikit-learn 1.9")


@dataclass(frozen=True)
class Photo:
    """One photograph: its file in an installed package, the pixels across a view, and the places of its classes."""

    file: str
    natural: bool
    side: int
    places: Mapping[str, tuple[int, int]] = field(repr=False, hash=False)
    package: tuple[str, str, str] = _SKIMAGE  # module, folder in it, version to install

    @property
    def name(self) -> str:
        """The short name of the photograph; the names of its classes begin with it."""
        return self.file.split(".")[0].split("_")[0]

    def read(self) -> npt.NDArray[np.float32]:
        """The whole photograph, 3 x height x width, 0 to 255; a gray one has three equal channels.

        Raises DataError, naming what to install, when the package or the file in it is missing or unreadable.
        """
        module, folder, version = self.package
        try:
            with (resources.files(module) / folder / self.file).open("rb") as file, Image.open(file) as image:
                return np.asarray(image.convert("RGB"), dtype=np.float32).transpose(2, 0, 1)
        except (OSError, ModuleNotFoundError) as problem:
            raise DataError(
                f"the photograph {self.file} of {module} cannot be read ({problem}): install {version}, "
                "whose wheel holds it, for instance with 'pip install --force-reinstall'."
            ) from problem


PHOTOS: Final = (
    Photo("coffee.png", False, 84, {
        "crema": (290, 150), "handle": (238, 272), "rim": (212, 82), "saucer": (108, 255), "spoon": (365, 285),
    }),
    Photo("rocket.jpg", False, 72, {
        "base": (322, 378), "lamps": (188, 388), "left-tower": (48, 190), "mast": (450, 225),
        "nose": (322, 152), "right-tower": (600, 240),
    }),
    Photo("motorcycle_left.png", False, 84, {
        "bench": (150, 140), "boxes": (568, 70), "engine": (377, 258), "front-wheel": (621, 370),
        "gearcase": (369, 332), "headlight": (538, 158), "rear-wheel": (202, 332), "seat": (211, 185),
        "tail-light": (122, 212),
    }),
    Photo("china.jpg", False, 72, {
        "finial": (205, 45), "left-eave": (108, 125), "lower-corner": (335, 258), "lower-gallery": (190, 302),
        "lower-roof": (150, 262), "middle-gallery": (185, 208), "right-eave": (298, 130), "upper-gallery": (205, 148),
    }, _SKLEARN),
    Photo("brick.png", False, 84, {"far": (420, 100), "middle": (260, 390), "near": (110, 130)}),
    Photo("astronaut.png", False, 76, {
        "collar": (275, 235), "flag": (45, 170), "helmet": (382, 402), "patch": (171, 386),
        "shuttle-nose": (412, 84), "shuttle-tail": (410, 216),
    }),
    Photo("camera.png", False, 64, {"camcorder": (316, 166), "city": (442, 160), "tripod": (298, 322)}),
    Photo("chelsea.png", True, 72, {
        "cheek": (100, 190), "ear": (352, 42), "forehead": (215, 42), "left-eye": (172, 118), "nose": (258, 238),
        "right-eye": (322, 133), "whiskers": (182, 222),
    }),
    Photo("flower.jpg", True, 76, {
        "heart": (305, 222), "petals-bottom": (300, 322), "petals-left": (208, 215), "petals-right": (408, 225),
        "petals-top": (310, 125), "second-bloom": (370, 385),
    }, _SKLEARN),
    Photo("hubble_deep_field.jpg", True, 96, {
        "blue-spiral": (125, 398), "chain": (446, 152), "pair": (309, 330), "red-ellipse": (288, 108),
        "star": (752, 575), "yellow-ellipse": (726, 472),
    }),
    Photo("ihc.png", True, 80, {
        "fan": (425, 110), "gland-edge": (135, 330), "lumen": (338, 120), "nuclei": (440, 320),
        "small-gland": (355, 400), "stroma": (220, 320), "swirl": (178, 88), "weave": (66, 120),
    }),
    Photo("retina.jpg", True, 220, {
        "fovea": (700, 710), "lower-arcade": (265, 1020), "lower-branch": (640, 920), "optic-disc": (240, 650),
        "upper-arcade": (320, 385), "upper-branch": (960, 410),
    }),
    Photo("grass.png", True, 92, {"clover": (145, 180), "leaves": (300, 320), "long": (420, 110), "tuft": (410, 430)}),
    Photo("gravel.png", True, 92, {"coarse": (130, 390), "mixed": (400, 130), "sharp": (120, 110)}),
)  # fmt: skip
