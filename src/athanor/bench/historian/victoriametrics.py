"""VictoriaMetrics (Debian: victoria-metrics), by JSON lines in and out."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa

from athanor.bench.historian.contender import Http, Server, folder_bytes, free_port, program, until_still
from athanor.bench.historian.generator import US, Rows
from athanor.bench.historian.questions import Kind, Question, by_tag_and_time
from athanor.bench.historian.text import joined

_METRIC = "bench"


class VictoriaMetrics:
    """Implements `Contender`."""

    name = "VictoriaMetrics"
    is_fed = True
    acknowledgement = "in memory; written to files about a second later, never flushed to the disk on purpose"
    settled = "force_flush, force_merge"
    quiet_s = 9.0  # in three parts

    def __init__(self, folder: Path) -> None:
        """Raises AbsentError."""
        self._folder = folder / "data"
        port = free_port()
        self._http = Http(port)
        command = [
            str(program(self.name, "victoria-metrics")),
            f"-storageDataPath={self._folder}",
            f"-httpListenAddr=127.0.0.1:{port}",
            "-retentionPeriod=100y",
            "-selfScrapeInterval=0",
            "-search.disableCache",  # so that a question is answered from samples each time
            "-search.maxUniqueTimeseries=1000000",
        ]
        self._server = Server(command, folder, lambda: self._http.answers("/health"))
        self._server.start()

    def payload(self, rows: Rows) -> tuple[str, bytes]:
        """Where one line can hold several samples of a tag: JSON lines, else the Prometheus text, which is faster then.

        The binary form of /api/v1/import/native is no faster, and only VictoriaMetrics itself can make it.
        """
        seconds = len(np.unique(rows.time_us))
        if seconds == 1:
            return "/api/v1/import/prometheus", joined(
                (f'{_METRIC}{{t="', rows.tag, '"} ', rows.value, " ", rows.time_us // 1000, "\n")
            )
        tags = len(rows) // seconds
        values = np.array(pa.array(rows.value).cast(pa.string()).to_pylist(), object).reshape(seconds, tags).T
        times = ",".join(str(us // 1000) for us in rows.time_us[::tags].tolist())
        lines = (
            f'{{"metric":{{"__name__":"{_METRIC}","t":"{tag}"}},"values":[{",".join(row)}],"timestamps":[{times}]}}'
            for tag, row in zip(rows.tag[:tags].tolist(), values, strict=True)
        )
        return "/api/v1/import", "\n".join(lines).encode()

    def write(self, payload: tuple[str, bytes]) -> None:
        self._http.request("POST", *payload)

    def settle(self) -> None:
        self._http.request("GET", "/internal/force_flush")
        until_still(lambda: folder_bytes(self._folder), self.quiet_s / 3, 600)
        self._http.request("GET", "/internal/force_merge")
        until_still(self._is_merging, self.quiet_s / 3, 600)
        until_still(lambda: folder_bytes(self._folder), self.quiet_s / 3, 600)

    def size_bytes(self) -> int:
        return folder_bytes(self._folder / "data") + folder_bytes(self._folder / "indexdb")

    def ask(self, question: Question) -> bytes:
        path, wanted = self._asked(question)
        return self._http.request("GET", f"{path}?{urlencode(wanted)}")

    def _asked(self, question: Question) -> tuple[str, dict[str, Any]]:
        series = _selector(question.tags)
        if question.kind is Kind.LATEST:
            return "/api/v1/query", {"query": series, "time": question.end_us / US}
        if question.kind is Kind.RAW:
            start, end = question.start_us // 1000, question.end_us // 1000 - 1  # both ends belong to it [ms]
            return "/api/v1/export", {"match[]": series, "start": start / 1000, "end": end / 1000}
        # A window reaches back from its time and holds it: one that ends a millisecond before the next step is [ ).
        step_ms = question.step_us // 1000
        return "/api/v1/query_range", {
            "query": f"avg_over_time({series}[{step_ms}ms])",
            "start": (question.start_us // 1000 + step_ms - 1) / 1000,
            "end": (question.end_us // 1000 - 1) / 1000,
            "step": f"{step_ms}ms",
            "nocache": 1,  # else start and end are moved to multiples of the step
        }

    def read(self, question: Question, answer: bytes) -> Rows:
        if question.kind is Kind.RAW:
            series = [
                (line["metric"], line["timestamps"], line["values"]) for line in map(json.loads, answer.splitlines())
            ]
            scale, shift = 1000, 0
        else:
            found = json.loads(answer)["data"]["result"]
            points = [one["values"] if "values" in one else [one["value"]] for one in found]
            series = [
                (one["metric"], [at for at, _ in own], [value for _, value in own])
                for one, own in zip(found, points, strict=True)
            ]
            scale, shift = US, 1000 - question.step_us
        tag = np.repeat([int(metric["t"]) for metric, _, _ in series], [len(times) for _, times, _ in series])
        time_us = np.round(np.concatenate([times for _, times, _ in series]).astype(np.float64) * scale).astype(
            np.int64
        )
        value = np.concatenate([np.asarray(values, np.float64) for _, _, values in series])
        if question.kind is Kind.LATEST:  # which tells when it was asked, not when the sample was taken
            time_us[:] = question.end_us - US
            shift = 0
        return by_tag_and_time(tag, time_us + shift, value)

    def reopen(self) -> None:
        self.close()
        self._server.start()

    def close(self) -> None:
        self._http.close()
        self._server.stop()

    def _is_merging(self) -> float:
        metrics = self._http.request("GET", "/metrics").decode()
        return sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("vm_active_merges"))


def _selector(tags: tuple[int, ...]) -> str:
    if len(tags) == 1:
        return f'{_METRIC}{{t="{tags[0]}"}}'
    if len(tags) >= 1_000:  # all there are
        return _METRIC
    return f'{_METRIC}{{t=~"{"|".join(map(str, tags))}"}}'
