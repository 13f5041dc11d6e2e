"""Pages of Overview, and the way in."""

from . import Example

EXAMPLES = [
    Example("/", None),
    Example("/overview", "overview.view"),
]
