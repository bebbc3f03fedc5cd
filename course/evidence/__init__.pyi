from .collect import write_conv1 as write_conv1
from .pictures import further_pictures as further_pictures
from .plan import all_series as all_series
from .plan import freezing_series as freezing_series
from .show import claims_table as claims_table
from .show import conclusion as conclusion
from .sweeps import SeriesStep as SeriesStep
