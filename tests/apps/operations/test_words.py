"""A schedule in plain words, in both languages."""

from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from athanor.apps.operations.pages.wording import cron_text, when
from athanor.apps.operations.services.errors import BadArgumentsTextError
from athanor.apps.operations.services.wishes import arguments_of
from athanor.kernel.apps.registry import load_apps
from athanor.kernel.jobs.schedules import Plan
from athanor.kernel.log import configure_logging
from athanor.kernel.recent_logs import RECENT, RecentLogs
from athanor.web.language import add_catalogue, speaking
from athanor.web.locales import locale_folder


@pytest.fixture(autouse=True)
def _translations() -> None:
    for app in load_apps().apps:
        if app.manifest.id == "operations" and (folder := locale_folder(app)) is not None:
            add_catalogue(folder)


@pytest.mark.parametrize(
    ("cron", "english", "chinese"),
    [
        ("15 3 * * *", "every day at 03:15", "每天 03:15"),
        ("* * * * *", "every day, every minute", "每天，每分钟"),
        ("*/15 * * * *", "every day, every 15 minutes", "每天，每 15 分钟"),
        ("5 * * * *", "every day, every hour at minute 5", "每天，每小时的第 5 分"),
        ("0 */4 * * *", "every day, every 4 hours at minute 0", "每天，每 4 小时的第 0 分"),
        ("0 6,14,22 * * *", "every day, 06:00, 14:00, 22:00", "每天，06:00、14:00、22:00"),
        ("0 6 * * MON-FRI", "on Monday to Friday at 06:00", "每星期一至星期五 06:00"),
        ("0 6 * * 0,7", "on Sunday, Sunday at 06:00", "每星期日、星期日 06:00"),
        ("0 0 1 * *", "on day 1 of the month at 00:00", "每月 1 日 00:00"),
        ("0 0 L * *", "on the last day of the month at 00:00", "每月最后一天 00:00"),
        ("0 0 1 1,7 *", "on day 1 of the month in January, July at 00:00", "一月、七月的每月 1 日 00:00"),
        ("3-9/2 5-7 * * *", "every day, at minute 3-9/2 of hour 5-7", "每天，5-7 时的第 3-9/2 分"),
    ],
)
def test_an_expression_is_said_in_words(cron: str, english: str, chinese: str) -> None:
    with speaking("en"):
        assert cron_text(cron) == english
    with speaking("zh_CN"):
        assert cron_text(cron) == chinese


def test_an_interval_is_said_in_words() -> None:
    with speaking("en"):
        assert when(Plan("x", "a.b", every_s=900)) == "every 15 min"


def test_arguments_are_a_json_object() -> None:
    assert (arguments_of(""), arguments_of(' {"days": 3}')) == ({}, {"days": 3})
    for text in ("[1]", "{", "90", "__import__('os')"):
        with pytest.raises(BadArgumentsTextError):
            arguments_of(text)


def records(*, least: str = "debug", text: str = "") -> list[str]:
    return [one.event for one in RECENT.latest(least, text) if one.fields.get("of") == "this test"]


def test_the_log_is_remembered_by_level_and_text_without_secrets() -> None:
    configure_logging("info")
    log: Any = structlog.get_logger("test").bind(of="this test")
    log.info("edge.connected", token="ath_0123456789abcdef", url="postgresql://u:hunter2@h/db")
    log.warning("said Bearer abc.def-ghi and password=hunter2", headers={"Authorization": "Basic aHVudGVyMg=="})
    try:
        float("token: hunter2")
    except ValueError:
        log.exception("broke")
    assert records() == ["broke", "said Bearer ••• and password=•••", "edge.connected"]
    assert records(least="warning") == ["broke", "said Bearer ••• and password=•••"]
    assert records(text="EDGE.conn") == ["edge.connected"]
    mine = [one for one in RECENT.latest() if one.fields.get("of") == "this test"]
    assert "ValueError" in mine[0].trace
    everything = repr(mine)
    for secret in ("hunter2", "0123456789abcdef", "abc.def", "aHVudGVyMg"):
        assert secret not in everything


def test_only_the_last_records_are_kept() -> None:
    ring = RecentLogs(3)
    began = datetime.now(UTC)
    for n in range(5):
        ring(None, "info", {"event": f"{n}", "level": "info"})
    assert [one.event for one in ring.latest()] == ["4", "3", "2"]
    assert all(one.at >= began for one in ring.latest())
    assert len(ring.latest(most=1)) == 1
