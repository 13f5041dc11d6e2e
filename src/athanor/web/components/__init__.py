"""What every page is built from, so that all apps look and behave alike. One file each."""

from athanor.web.components.choice import Choice, MomentField
from athanor.web.components.data_table import Cell, Column, TablePage, TableQuery, data_table
from athanor.web.components.dialog import Dialog
from athanor.web.components.dialog_form import (
    Said,
    UnreadableFormError,
    dialog_form,
    form_choice,
    form_line,
    form_lines,
)
from athanor.web.components.empty_state import empty_state
from athanor.web.components.error_card import error_card
from athanor.web.components.fields import bare_choice, choice, number_field, text_field
from athanor.web.components.file_drop import FileDrop, file_drop
from athanor.web.components.job import JobCard, job_card, job_list
from athanor.web.components.kpi import Kpi, kpi, kpi_strip
from athanor.web.components.page_title import page_title
from athanor.web.components.spark import Spark
from athanor.web.components.status import Status, status
from athanor.web.components.tag_finder import TagFinder
from athanor.web.components.trend_chart import Stretch, TrendChart, TrendSeries, ViewChange
from athanor.web.components.value_list import ValueList, ValueRow
from athanor.web.components.words import Words, button, icon, link, region

__all__ = [
    "Cell",
    "Choice",
    "Column",
    "Dialog",
    "FileDrop",
    "JobCard",
    "Kpi",
    "MomentField",
    "Said",
    "Spark",
    "Status",
    "Stretch",
    "TablePage",
    "TableQuery",
    "TagFinder",
    "TrendChart",
    "TrendSeries",
    "UnreadableFormError",
    "ValueList",
    "ValueRow",
    "ViewChange",
    "Words",
    "bare_choice",
    "button",
    "choice",
    "data_table",
    "dialog_form",
    "empty_state",
    "error_card",
    "file_drop",
    "form_choice",
    "form_line",
    "form_lines",
    "icon",
    "job_card",
    "job_list",
    "kpi",
    "kpi_strip",
    "link",
    "number_field",
    "page_title",
    "region",
    "status",
    "text_field",
]
