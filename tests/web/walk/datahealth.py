"""Pages of Data health."""

from . import FURNACE, Example

EXAMPLES = [
    Example("/datahealth", "datahealth.view"),
    Example("/datahealth/quality", "datahealth.view", query={"under": FURNACE}),
    Example("/datahealth/map", "datahealth.view"),
    Example("/datahealth/lookup", "datahealth.view", query={"search": "furnace power"}),
]
