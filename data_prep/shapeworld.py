"""`shapeworld`: 80 drawn classes of 48 x 48 pixels, each a combination of five parts from known vocabularies.

A class is an outline, a texture, a small part on it, that part's texture and its place. Man-made and natural
classes are made of different parts, so that it is known how much two sets of classes have in common.
"""

from dataclasses import dataclass

from data_prep.drawing import Figure, draw_figures
from data_prep.pictures import Images
from data_prep.rendering import Arguments, Rendered
from data_prep.shapes import OUTLINES, PARTS
from data_prep.textures import PART_TEXTURES, TEXTURES
from transferkit.disk.prepared import ClassInfo, Part
from transferkit.randomness import generator_from
from transferkit.splits import overlap_split

KINDS = ("man-made", "natural")
PER_KIND = 40
PLACES = {
    "man-made": {"top": (0.0, -0.6), "right": (0.6, 0.0), "bottom": (0.0, 0.6), "left": (-0.6, 0.0)},
    "natural": {
        "upper-left": (-0.45, -0.45), "upper-right": (0.45, -0.45),
        "lower-right": (0.45, 0.45), "lower-left": (-0.45, 0.45),
    },
}  # fmt: skip

SOURCE = (
    "Drawn by data_prep.shapeworld: a textured outline with a small part on it, over 1/f noise with clutter and an "
    "occluder; the colours are random and tell nothing about the class."
)
VALIDATION = (
    "validation images are new drawings of the same classes from another random stream: they measure recognition of "
    "known combinations of parts, drawn anew in position, size, turn, colour and background."
)


@dataclass(frozen=True)
class Design:
    """The kind of one class, and the names of its five parts."""

    kind: str
    outline: str
    texture: str
    part: str
    part_texture: str
    place: str

    def info(self) -> ClassInfo:
        """The class as the manifest describes it; every part's name begins with its kind."""
        named = (
            ("outline", self.outline), ("texture", self.texture), ("part", self.part),
            ("part-texture", self.part_texture), ("place", self.place),
        )  # fmt: skip
        parts = tuple(f"{self.kind}/{category}/{name}" for category, name in named)
        return ClassInfo(f"{self.outline}-{self.texture}-{self.part}", self.kind == "natural", parts)

    def figure(self) -> Figure:
        """What to draw."""
        return Figure(
            OUTLINES[self.kind][self.outline], TEXTURES[self.kind][self.texture],
            PARTS[self.kind][self.part], PART_TEXTURES[self.kind][self.part_texture],
            PLACES[self.kind][self.place],
        )  # fmt: skip


def designs() -> tuple[Design, ...]:
    """The 80 classes, man-made first.

    Of each kind, the 20 classes in half A of split `overlap-1` use every part as often as the other 20. A split
    `overlap-x` exchanges some of the classes that `overlap-1` exchanges, so that the histograms of parts of its halves
    have exactly x in common.
    """
    natural = [kind == "natural" for kind in KINDS for _ in range(PER_KIND)]
    half_a = set(overlap_split("overlap-1", natural).half_a)
    listed = []
    for number, kind in enumerate(KINDS):
        ranks = {True: 0, False: 0}
        for label in range(number * PER_KIND, (number + 1) * PER_KIND):
            inside = label in half_a
            listed.append(_design(kind, ranks[inside], variant=int(inside)))
            ranks[inside] += 1
    return tuple(listed)


def rendered(arguments: Arguments) -> Rendered:
    """The data set, ready to draw."""
    figures = [design.figure() for design in designs()]

    def draw(label: int, part: Part, count: int) -> Images:
        return draw_figures(figures[label], count, generator_from("shapeworld", arguments.seed, label, part))

    return Rendered("shapeworld", tuple(design.info() for design in designs()), SOURCE, VALIDATION, draw)


def _design(kind: str, rank: int, variant: int) -> Design:
    # Over 20 ranks each outline meets each texture once; parts, their textures and places occur equally often.
    # The two variants of an outline and texture differ in everything else: only the small part tells them apart.
    outlines, textures, parts = list(OUTLINES[kind]), list(TEXTURES[kind]), list(PARTS[kind])
    part_textures, places = list(PART_TEXTURES[kind]), list(PLACES[kind])
    return Design(
        kind,
        outlines[rank % 5],
        textures[rank % 4],
        parts[(rank % 5 + rank // 5 + 2 * variant) % 5],
        part_textures[(rank // 2 + variant) % 2],
        places[(rank + rank // 4 + variant) % 4],
    )
