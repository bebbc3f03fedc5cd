"""How many layers of given weights to use for a folder of pictures, and whether that is worth anything, measured.

`import transferkit as tk` has `tk.curve` too: the distribution lends it (`transferkit.names` in pyproject.toml).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
