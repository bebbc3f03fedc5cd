"""What this machine has and lacks, and how many minutes every lesson and preset will take on it.

A name is imported when it is first used, so that a batch keeps the times of its lessons without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
