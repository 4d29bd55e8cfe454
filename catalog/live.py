"""What `TOOL_CLASSIFIER` names: the classifier, for definitions as they are pinned.

The same rules judge what the catalogue lists and what an organization's own server
says, so a server that was added shows what it can do itself, not what its package did.
"""

from catalog.classifier.judging import classify
from catalog.classifier.version import VERSION

__all__ = ["VERSION", "classify"]
