"""Alarms: what is abnormal in the plant now, who has seen it, and what is to be done about it."""

from datetime import timedelta

from athanor.apps.alarms import api, api_performance, api_rules, handlers, pages
from athanor.kernel.alarms.records import CHANGED_TOPIC
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Alarms adds. Runs once, before anything starts; does no work itself."""
    app.page("/alarms", pages.desk, permission="alarms.view")
    app.page("/alarms/alarm/{alarm_id}", pages.alarm, permission="alarms.view")
    app.page("/alarms/occurrences/{occurrence_id}", pages.occurrence, permission="alarms.view")
    app.page("/alarms/history", pages.history, permission="alarms.view")
    app.page("/alarms/speed", pages.speed, permission="alarms.view")
    app.page("/alarms/performance", pages.performance, permission="alarms.view")
    app.page("/alarms/performance/occurrences", pages.performance_occurrences, permission="alarms.view")
    app.page("/alarms/rules", pages.rules, permission="alarms.view")
    app.page("/alarms/rules/new", pages.new_rule, permission="alarms.configure")
    app.page("/alarms/rules/import", pages.import_rules, permission="alarms.configure")
    app.page("/alarms/rules/import/{upload}", pages.import_sheet, permission="alarms.configure")
    app.page("/alarms/rules/{rule_id}", pages.rule, permission="alarms.view")
    app.in_frame(pages.bell, permission="alarms.view")
    app.api(api.router, permission="alarms.view")
    app.api(api_rules.router, permission="alarms.view")
    app.api(api_performance.router, permission="alarms.view")
    app.job(
        "alarms.keep-report",
        handlers.keep_report,
        title={"en": "Report on the alarms of a month", "zh_CN": "生成月度报警绩效报告"},
        retries=3,
        cron="20 1 1 * *",
    )
    app.on(CHANGED_TOPIC, handlers.wake_pages)
    app.every(timedelta(seconds=1), handlers.look_again)
