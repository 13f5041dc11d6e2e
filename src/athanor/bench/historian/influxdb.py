"""InfluxDB 1.x (Debian: influxdb), by line protocol in and JSON out."""

import json
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from athanor.bench.historian.contender import Http, Server, folder_bytes, free_port, program, until_still
from athanor.bench.historian.generator import US, Rows
from athanor.bench.historian.questions import Kind, Question, by_tag_and_time
from athanor.bench.historian.text import joined

_DATABASE = "bench"
_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  wal-fsync-delay = "0s"  # a write is flushed before it is acknowledged
  cache-max-memory-size = "4g"
  cache-snapshot-memory-size = "256m"
  cache-snapshot-write-cold-duration = "5s"  # so that the benchmark need not wait ten minutes, and four hours
  compact-full-write-cold-duration = "10s"
  max-values-per-tag = 0
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-body-size = 0
[logging]
  level = "warn"
"""


class InfluxDB:
    """Implements `Contender`."""

    name = "InfluxDB 1.6"
    is_fed = True
    acknowledgement = "flushed to the disk (wal-fsync-delay 0)"
    settled = "cache written out, shard fully compacted"
    quiet_s = 20.0

    def __init__(self, folder: Path) -> None:
        """Raises AbsentError."""
        self._folder = folder
        port = free_port()
        self._http = Http(port)
        config = folder / "influxdb.conf"
        config.write_text(_CONFIG.format(folder=folder, rpc=free_port(), port=port), encoding="utf-8")
        command = [str(program(self.name, "influxd")), "run", "-config", str(config)]
        self._server = Server(command, folder, lambda: self._http.answers("/ping"))
        self._server.start()
        self._http.request("POST", f"/query?{urlencode({'q': f'CREATE DATABASE {_DATABASE}'})}")

    def payload(self, rows: Rows) -> bytes:
        return joined(("s,t=", rows.tag, " v=", rows.value, " ", rows.time_us // US, "\n"))

    def write(self, payload: bytes) -> None:
        self._http.request("POST", f"/write?db={_DATABASE}&precision=s", payload)

    def settle(self) -> None:
        # Cache and log go cold after 5 s, the shard after 10 s; a compaction at work changes its files all the time.
        until_still(
            lambda: (folder_bytes(self._folder / "data"), folder_bytes(self._folder / "wal")), self.quiet_s, 900
        )

    def size_bytes(self) -> int:
        return folder_bytes(self._folder / "data")

    def ask(self, question: Question) -> bytes:
        wanted = {"db": _DATABASE, "epoch": "ms", "q": _statement(question)}
        return self._http.request("POST", "/query", urlencode(wanted).encode(), "application/x-www-form-urlencoded")

    def read(self, question: Question, answer: bytes) -> Rows:
        series = json.loads(answer)["results"][0].get("series", [])
        tags = [int(one["tags"]["t"]) if "tags" in one else question.tags[0] for one in series]
        tag = np.repeat(tags, [len(one["values"]) for one in series])
        points = np.array([point for one in series for point in one["values"]], np.float64).reshape(-1, 2)
        return by_tag_and_time(tag, points[:, 0].astype(np.int64) * 1000, points[:, 1])

    def reopen(self) -> None:
        self.close()
        self._server.start()

    def close(self) -> None:
        self._http.close()
        self._server.stop()


def _statement(question: Question) -> str:
    within = f"time >= {question.start_us * 1000} AND time < {question.end_us * 1000}"
    if question.kind is Kind.LATEST:
        return "SELECT last(v) FROM s GROUP BY t"
    if question.kind is Kind.RAW:
        return f"SELECT v FROM s WHERE t = '{question.tags[0]}' AND {within}"
    # fill(none): a step without samples has no row. Steps are counted from 1970, so the offset moves them.
    offset = question.start_us % question.step_us
    steps = f"time({question.step_us}u, {offset}u)"
    if len(question.tags) == 1:
        return f"SELECT mean(v) FROM s WHERE t = '{question.tags[0]}' AND {within} GROUP BY {steps} fill(none)"
    chosen = f"t =~ /^({'|'.join(map(str, question.tags))})$/ AND " if len(question.tags) < 1_000 else ""
    return f"SELECT mean(v) FROM s WHERE {chosen}{within} GROUP BY t, {steps} fill(none)"
