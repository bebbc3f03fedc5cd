from .console import paired_table as paired_table
from .figures import Picture as Picture
from .figures import figure1 as figure1
from .figures import figure2 as figure2
from .figures import figure3 as figure3
from .figures import random_filters as random_filters
from .results import tabulate as tabulate
from .results import tabulate_epochs as tabulate_epochs
from .session import load_network as load_network
from .session import open_study as open_study
from .session import plan_table as plan_table
from .session import train as train
from .training.study import Study as Study
from .treatments import Run as Run
from .treatments import parse_run as parse_run
from .treatments import plan as plan

__version__: str
__all__: list[str]
