from .checks import examine as examine
from .command import findings_table as findings_table
from .command import outlook_table as outlook_table
from .command import tally_line as tally_line
from .lessons import LESSONS as LESSONS
from .outlook import look_ahead as look_ahead
