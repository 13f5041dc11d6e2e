"""What a person sees of Operations."""

from athanor.apps.operations.pages.jobs import job, jobs
from athanor.apps.operations.pages.logs import logs
from athanor.apps.operations.pages.overview import overview
from athanor.apps.operations.pages.schedule_form import new_schedule, schedule
from athanor.apps.operations.pages.schedules import schedules

__all__ = ["job", "jobs", "logs", "new_schedule", "overview", "schedule", "schedules"]
