from .film import Animation as Animation
from .gabor_microscope import Microscope as Microscope
from .gabor_microscope import microscope as microscope
from .kinds import fit_table as fit_table
from .pictures import conv1 as conv1
from .pictures import filter_sheet as filter_sheet
from .pictures import filters as filters
from .pictures import first_filters as first_filters
from .pictures import forming as forming
from .pictures import look as look
from .pictures import responses as responses

__all__: list[str]
