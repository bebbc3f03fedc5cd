"""The evidence for the claims: series of networks to train, what they cost, their tables, and the ledger of claims.

A name is imported when it is first used, so that the claims and the authors' networks do without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
