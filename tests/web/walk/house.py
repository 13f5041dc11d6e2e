"""Routes of the house itself: data, corrections, jobs, imports, waveforms, files of samples, backups."""

import time
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np

from ..site import Site
from . import FURNACE, PARK_ONLY, POWER, Example

_START = (datetime.now(UTC) - timedelta(hours=6)).isoformat()
_END = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
_RANGE = {"tag": POWER, "from": _START}
_WRONG = {"kind": "bad", "start": _START, "end": _END}
_WAVEFORM = {"asset": FURNACE, "channel": "walk", "quantity": "current", "unit": "A", "rate_hz": 1000, "dtype": "int16"}
_NUMBERS = np.arange(64, dtype="<i2").tobytes()


def prepare(owner: httpx.Client, site: Site) -> dict[str, str]:
    """A correction, a waveform, a file that was sent and the job of its import."""
    wish = {"tag": POWER, "action": _WRONG, "reason": "of-the-copper-works"}
    correction = owner.post("/api/v1/corrections", json=wish).raise_for_status().json()
    query = {**_WAVEFORM, "start": _START}
    waveform = owner.post("/api/v1/waveforms", params=query, content=_NUMBERS).raise_for_status().json()
    rows = f"time,{POWER}\n2026-05-04T12:00:00Z,25000\n2026-05-04T12:01:00Z,of-the-copper-works\n".encode()
    name = {"name": "of-the-copper-works.csv"}
    file = owner.post("/api/v1/imports/files", params=name, content=rows).raise_for_status().json()
    job = owner.post("/api/v1/imports", json={"file": file["file"], "trial": True}).raise_for_status().json()
    while owner.get(f"/api/v1/jobs/{job['id']}").raise_for_status().json()["state"] in ("queued", "running"):
        time.sleep(0.02)
    return {
        "correction": str(correction["id"]),
        "waveform": str(waveform["ids"][0]),
        "file": file["file"],
        "job": job["id"],
    }


EXAMPLES = [
    Example("/api/v1/openapi.json", "data.view"),
    Example("/api/v1/tags", "data.view"),
    Example("/api/v1/current", "data.view", query={"tag": POWER}, names=True),
    Example("/api/v1/series", "data.view", query=_RANGE, names=True),
    Example("/api/v1/at", "data.view", query={"tag": POWER, "time": _START}, names=True),
    Example("/api/v1/lookup", "data.view", query={"search": "furnace power"}),
    Example("/api/v1/corrections", "data.view", query=_RANGE, names=True),
    Example("/api/v1/corrections", "data.correct", "POST", json={"tag": POWER, "action": _WRONG, "reason": "Walk"},
            names=True),
    Example("/api/v1/corrections/{correction}", "data.view", path={"correction": "{correction}"}, names=True),
    Example("/api/v1/corrections/{correction}/samples", "data.view", path={"correction": "{correction}"}, names=True),
    Example("/api/v1/corrections/{correction}/undo", "data.correct", "POST", path={"correction": "{correction}"},
            json={"reason": "Walk"}, names=True),
    Example("/api/v1/waveforms", "data.view", query={"asset": FURNACE}, names=True),
    Example("/api/v1/waveforms", "data.import", "POST", query={**_WAVEFORM, "start": _START}, content=_NUMBERS,
            names=True),
    Example("/api/v1/waveforms/latest", "data.view", query={"asset": FURNACE}, names=True),
    Example("/api/v1/waveforms/channels", "data.view"),
    Example("/api/v1/waveforms/{waveform_id}", "data.view", path={"waveform_id": "{waveform}"}, names=True),
    Example("/api/v1/imports/files", "data.import", "POST", query={"name": "own.csv"}, content=b"time,tag\n"),
    Example("/api/v1/imports/files/{file}", "data.import", "DELETE", path={"file": "{file}"}, names=True),
    Example("/api/v1/imports/preview", "data.import", "POST", json={"file": "{file}"}, names=True),
    Example("/api/v1/imports", "data.import", "POST", json={"file": "{file}"}, names=True),
    Example("/api/v1/jobs", "jobs.view"),
    Example("/api/v1/jobs/{job_id}", "jobs.view", path={"job_id": "{job}"}, names=True),
    Example("/api/v1/jobs/{job_id}", "jobs.view", "DELETE", path={"job_id": "{job}"}, names=True),
    Example("/api/v1/jobs/{job_id}/file", "jobs.view", path={"job_id": "{job}"}, names=True),
    Example("/api/v1/jobs/kinds", "jobs.view"),
    Example("/api/v1/jobs", "jobs.view", "POST", json={"kind": "operations.verify-audit"}, names=True),
    # files of samples hold every enterprise's, so they are for the park's people alone
    Example("/api/v1/historian/damaged", "historian.administer", names=True, owner_gets=PARK_ONLY),
    Example("/api/v1/historian/set-aside", "historian.administer", names=True, owner_gets=PARK_ONLY),
    Example("/api/v1/historian/set-aside", "historian.administer", "POST", json={"file": "x"}, names=True),
    Example("/api/v1/historian/put-back", "historian.administer", "POST", json={"file": "x"}, names=True),
    Example("/api/v1/historian/retention", "historian.administer", names=True, owner_gets=PARK_ONLY),
    Example("/api/v1/historian/retention", "historian.administer", "POST", names=True),
    Example("/api/v1/backups", "historian.administer", names=True, owner_gets=PARK_ONLY),
    Example("/api/v1/backups", "historian.administer", "POST", json={}, names=True),
]  # fmt: skip
