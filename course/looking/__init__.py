"""Look at features: filters of anybody's first layer, the microscope on them, and what units of every layer answer.

`import transferkit as tk` has these names too: the distribution lends them (`transferkit.names` in pyproject.toml).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
