"""The benchmark of the historian: what it fills stores with, what it asks them, and that each of them answers right."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from athanor.bench.historian import CONTENDERS, PARTS, large_lake, side_by_side
from athanor.bench.historian.contender import AbsentError, Opening, opened, program
from athanor.bench.historian.extent import Extent
from athanor.bench.historian.generator import DECIMALS, SIGMA, START_S, US, History, Rows, history, signal
from athanor.bench.historian.measuring import WRONG
from athanor.bench.historian.questions import Kind, Question, disagreement, questions_of, truth
from athanor.bench.historian.text import joined
from athanor.bench.printing import as_json, as_markdown, as_table
from athanor.cli.commands import app

SMALL = Extent(
    tags=20,
    seconds=3_700,
    stream_s=100,
    repeats=8,
    patience_s=1,
    cold=0,  # the page cache belongs to others, too
    live_s=2,
    live_tags=100,
    large_tags=10,
    large_days=2,
)
STORES = [opening for openings in CONTENDERS.values() for opening in openings]


def test_the_same_data_comes_every_time() -> None:
    assert np.array_equal(signal(START_S, 100), signal(START_S, 100))
    assert not np.array_equal(signal(START_S, 100), signal(START_S + 100, 100))


def test_values_have_the_resolution_and_the_noise_that_figures_are_stated_for() -> None:
    values = signal(START_S, 20_000, tags=3)
    assert np.array_equal(values, np.round(values, DECIMALS))
    noise = np.diff(values, axis=0) / np.sqrt(2)  # the sine is too slow to be seen in it
    assert np.std(noise) == pytest.approx(SIGMA, rel=0.02)


def test_samples_come_in_second_by_second() -> None:
    past = history(5, tags=3)
    batches = list(past.batches(2))
    assert [len(rows) for rows in batches] == [6, 6, 3]
    assert batches[1].tag.tolist() == [0, 1, 2, 0, 1, 2]
    assert (batches[1].time_us // US - START_S).tolist() == [2, 2, 2, 3, 3, 3]
    assert np.array_equal(batches[1].value, past.values[2:4].ravel())


def test_a_question_is_answered_as_one_would_by_hand() -> None:
    past = History(START_S, np.array([[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]]))
    means = Question(Kind.MEANS, (1,), past.start_us, past.start_us + 4 * US, 2 * US)
    assert truth(means, past).value.tolist() == [15.0, 60.0]
    assert truth(means, past).time_us.tolist() == [past.start_us, past.start_us + 2 * US]
    latest = truth(replace(means, kind=Kind.LATEST, tags=(0, 1)), past)
    assert (latest.tag.tolist(), latest.value.tolist()) == ([0, 1], [6.0, 60.0])
    assert set(latest.time_us.tolist()) == {past.end_us - US}
    raw = truth(Question(Kind.RAW, (0,), past.start_us + US, past.end_us), past)
    assert raw.value.tolist() == [2.0, 6.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"value": np.array([1.0, 2.5])}, "a value is off by 0.5"),
        ({"value": np.array([1.0, np.nan])}, "a value is off by nan"),
        ({"tag": np.array([0, 1], np.int32)}, "other tags or times"),
        ({"time_us": np.array([0, 2])}, "other tags or times"),
    ],
)
def test_a_wrong_answer_is_found(change: dict[str, Any], said: str) -> None:
    right = Rows(np.zeros(2, np.int32), np.array([0, 1]), np.array([1.0, 2.0]))
    assert disagreement(replace(right, **change), right) == said


def test_a_row_that_is_missing_is_found() -> None:
    right = Rows(np.zeros(2, np.int32), np.array([0, 1]), np.array([1.0, 2.0]))
    short = Rows(right.tag[:1], right.time_us[:1], right.value[:1])
    assert disagreement(short, right) == "1 rows instead of 2"


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(-(10**6), 10**6), st.integers(0, 2**40)), min_size=1, max_size=20
    )
)
def test_a_text_of_columns_is_the_text_of_their_rows(rows: list[tuple[int, int, int]]) -> None:
    tag, hundredths, time = (np.array(column) for column in zip(*rows, strict=True))
    lines = joined(("s,t=", tag, " v=", hundredths / 100, " ", time, "\n")).decode().splitlines()
    read = [tuple(part.split("=")[-1] for part in line.split(" ")) for line in lines]
    assert [(int(t), float(v), int(at)) for t, v, at in read] == [(t, v / 100, at) for t, v, at in rows]


def test_a_part_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    result = CliRunner().invoke(app, ["bench", "historian", "--only", "oracle"])
    assert result.exit_code == 2
    assert all(part in result.output for part in PARTS)


def test_what_is_not_installed_is_left_out_and_named() -> None:
    with pytest.raises(AbsentError, match="Nothing is not installed"):
        program("Nothing", "athanor-has-no-such-program")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A new folder that PostgreSQL's own user may come through, which pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="athanor-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("opening", STORES, ids=lambda opening: opening.__name__)
def test_every_store_answers_every_question_as_generated(
    opening: Opening, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "quiet_s", 0.6)
    past = history(SMALL.seconds, tags=SMALL.tags)
    try:
        with opened(opening, folder / "store") as store:
            for begin, end in pairwise([0, 1, *range(370, past.seconds + 1, 370)]):
                store.write(store.payload(past.rows(begin, end)))
            store.settle()
            assert store.size_bytes() > 0
            for _ in range(2):
                for asked in questions_of(past, 1):
                    (question,) = asked.questions
                    assert disagreement(store.read(question, store.ask(question)), truth(question, past)) == ""
                store.reopen()
    except AbsentError as error:
        if os.environ.get("ATHANOR_TEST_REQUIRE_ALL") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))


def test_every_line_is_measured_and_no_answer_is_wrong(folder: Path) -> None:
    report = side_by_side(folder, SMALL, ["athanor", "duckdb"])
    by_name = {figure.name: figure for figure in report.figures}
    assert [name for name, figure in by_name.items() if figure.value is None and not name.endswith("cold")] == []
    assert by_name[WRONG].holds is True
    assert set(by_name[WRONG].peers.values()) == {0}
    assert set(by_name["size on disk"].peers) == {"DuckDB table", "DuckDB Parquet"}
    assert any(note.startswith("Athanor: acknowledged is flushed to the disk") for note in report.notes)
    assert orjson.loads(orjson.dumps(as_json(report, "a machine")))["figures"][0]["name"] == report.figures[0].name
    assert as_table(report).row_count == len(report.figures)
    page = as_markdown(report, "a machine").splitlines()
    assert page[2].startswith("| figure | value | unit | target | holds | DuckDB table | DuckDB Parquet |")
    assert len([line for line in page if line.startswith("|")]) == 2 + len(report.figures)


@pytest.mark.slow
def test_a_large_lake_is_asked_by_another_process_and_answers_right(folder: Path) -> None:
    figures = {figure.name.partition(": ")[2]: figure for figure in large_lake(folder, SMALL)}
    assert figures[WRONG].holds is True
    assert figures["peak memory of the process that asks"].holds is True
    assert sum(name.endswith("growth") for name in figures) == 4
