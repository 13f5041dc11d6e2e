"""Pages of Data. What they name is prepared by `house`."""

from . import POWER, Example

EXAMPLES = [
    Example("/data", "data.export"),
    Example("/data/import/{upload}", "data.import", path={"upload": "{file}"}, names=True),
    Example("/data/imports/{job_id}", "data.import", path={"job_id": "{job}"}, names=True),
    Example("/data/export", "data.export", query={"tags": POWER}),
    Example("/data/storage", "data.view"),
]
