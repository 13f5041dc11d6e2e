"""Operations: how the services are, what jobs run and ran, when they are due, what the log says."""

from datetime import timedelta

from athanor.apps.operations import api, handlers, pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Operations adds. Runs once, before anything starts; does no work itself."""
    app.page("/operations", pages.overview, permission="operations.view")
    app.page("/operations/jobs", pages.jobs, permission="operations.view")
    app.page("/operations/jobs/{job_id}", pages.job, permission="operations.view")
    app.page("/operations/schedules", pages.schedules, permission="operations.administer")
    app.page("/operations/schedules/new", pages.new_schedule, permission="operations.administer")
    app.page("/operations/schedules/{schedule_id}", pages.schedule, permission="operations.administer")
    app.page("/operations/logs", pages.logs, permission="operations.administer")
    app.api(api.router, permission="operations.administer")
    app.job(
        "operations.verify-audit",
        handlers.verify_audit,
        title={"en": "Check that the audit trail is whole", "zh_CN": "校验审计记录的完整性"},
        retries=2,
        timeout=timedelta(hours=2),
        cron="15 3 * * *",
    )
    app.job(
        "operations.create-backup",  # without a schedule: it needs a place and a passphrase first
        handlers.create_backup,
        title={"en": "Make a backup", "zh_CN": "创建备份"},
        retries=1,
        timeout=timedelta(hours=12),
    )
    app.job(
        "operations.try-backup",
        handlers.try_backup,
        title={"en": "Try whether the newest backup brings everything back", "zh_CN": "试恢复最新备份"},
        timeout=timedelta(hours=12),
    )
    app.job(
        "operations.expire-history",
        handlers.expire_history,
        title={"en": "Forget old jobs", "zh_CN": "清理过期作业记录"},
        retries=2,
        timeout=timedelta(minutes=30),
        cron="45 3 * * *",
    )
