"""Parts of the library that single lessons take apart: splits, surgery, filters, and what a network makes of images."""

from course.evidence.first_layers import likeness_controls, match_filters
from course.lesson.networks import represent
from course.lesson.parts import shared_parts
from course.looking.activations import untrained_network
from course.looking.control import scrambled_filters
from course.looking.sheets import shares_table
from transferkit.disk.prepared import find_work_folder
from transferkit.errors import TrainingError
from transferkit.gabor.tiles import filter_tiles, order_filters
from transferkit.network.layered import to_input
from transferkit.network.torchvision_nets import find_net
from transferkit.report import conv1_tiles
from transferkit.specs import paper_net
from transferkit.splits import make_split
from transferkit.training.data import load_half
from transferkit.training.surgery import audit, fingerprint, moved, operate
from transferkit.treatments import CHOP_POINTS, grid

__all__ = [
    "CHOP_POINTS",
    "TrainingError",
    "audit",
    "conv1_tiles",
    "filter_tiles",
    "find_net",
    "find_work_folder",
    "fingerprint",
    "grid",
    "likeness_controls",
    "load_half",
    "make_split",
    "match_filters",
    "moved",
    "operate",
    "order_filters",
    "paper_net",
    "represent",
    "scrambled_filters",
    "shared_parts",
    "shares_table",
    "to_input",
    "untrained_network",
]
