"""A report as PDF. Chinese is set in STSong-Light, which PDF viewers bring: no font is carried in the file."""

import io
from collections.abc import Sequence
from typing import Literal
from xml.sax.saxutils import escape

import numpy as np
from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from athanor.apps.alarms.services.performance_wording import seconds
from athanor.apps.alarms.services.report_content import Content, Kind, Section, Value
from athanor.web.formatting import NOTHING, number, percent

_LATIN, _BOLD, _CHINESE = "Helvetica", "Helvetica-Bold", "STSong-Light"
_MARGIN = 16 * mm
_WIDTH = A4[0] - 2 * _MARGIN - 12  # a frame has 6 points of its own on each side
_TEXT, _PALE, _RULE, _BAR, _URGENT = (HexColor(one) for one in ("#1a2027", "#5c6671", "#d3d8dd", "#0b63b0", "#b3131b"))
_HEAD = HexColor("#f3f5f7")


def to_pdf(content: Content) -> bytes:
    """The report's file, A4."""
    pdfmetrics.registerFont(UnicodeCIDFont(_CHINESE))
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"{content.title} · {content.whose}",
        author="Athanor",
    )

    def footer(canvas: Canvas, made: SimpleDocTemplate) -> None:
        text = f"{content.title} · {content.whose} · {content.made}"
        canvas.setFillColor(_PALE)
        canvas.setFont(_font(text), 7)
        canvas.drawString(_MARGIN, 9 * mm, text[:150])
        canvas.drawRightString(A4[0] - _MARGIN, 9 * mm, str(made.page))

    document.build(_story(content), onFirstPage=footer, onLaterPages=footer)
    return file.getvalue()


def _story(content: Content) -> list[Flowable]:
    story: list[Flowable] = [
        _words(content.title, 18, is_bold=True),
        _words(content.whose, 11),
        _words(content.period, 9, _PALE),
        Spacer(0, 4 * mm),
        _summary(content.summary),
        Spacer(0, 4 * mm),
    ]
    first, *others = content.sections
    story += _section(first)
    story.append(KeepTogether([_words(content.days_title, 12, is_bold=True), _days(content), Spacer(0, 4 * mm)]))
    story.append(KeepTogether([_words(content.week_title, 12, is_bold=True), _week(content), Spacer(0, 4 * mm)]))
    for section in others:
        story += _section(section)
    return story


def _section(section: Section) -> list[Flowable]:
    title = _words(section.title, 12, is_bold=True)
    how = _words(section.how, 8, _PALE)
    if not section.rows:
        return [KeepTogether([title, how, _words(section.nothing, 9), Spacer(0, 5 * mm)])]
    total = sum(one.width for one in section.headings)
    widths = [_WIDTH * one.width / total for one in section.headings]
    head = [_words(one.title, 8, _PALE, is_right=one.kind is not Kind.TEXT) for one in section.headings]
    body = [
        [
            _words(
                written(value, heading.kind),
                8,
                _URGENT if row in section.marked else _TEXT,
                is_right=heading.kind is not Kind.TEXT,
            )
            for value, heading in zip(values, section.headings, strict=True)
        ]
        for row, values in enumerate(section.rows)
    ]
    table = Table([head, *body], colWidths=widths, repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), _HEAD),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 5),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    return [KeepTogether([title, how, Spacer(0, 1.5 * mm), table]), Spacer(0, 5 * mm)]


def written(value: Value, kind: Kind) -> str:
    """A value as it reads in a column of this kind."""
    if isinstance(value, str):
        return value.removeprefix("≤ ")  # Helvetica has no such sign; a goal without a sign is the most there may be
    match kind:
        case Kind.COUNT:
            return number(value)
        case Kind.NUMBER:
            return number(value, 2)
        case Kind.SHARE:
            return percent(value, 2 if value < 0.1 else 1)
        case Kind.SECONDS:
            return seconds(value) if np.isfinite(value) else NOTHING
    return str(value)


def _summary(pairs: Sequence[tuple[str, str]]) -> Table:
    cells = [
        [_words(value, 14, is_bold=True) for _name, value in pairs],
        [_words(name, 7, _PALE) for name, _v in pairs],
    ]
    table = Table(cells, colWidths=[_WIDTH / len(pairs)] * len(pairs), hAlign="LEFT")
    table.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 0.5, _RULE), ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return table


def _days(content: Content) -> Drawing:
    """A bar for each day, with the standard's target as a line."""
    height, left, bottom = 46 * mm, 10 * mm, 6 * mm
    name, goal = content.day_goal
    counts = [count for _day, count in content.days]
    most = max([*counts, 1])
    top = max(most, goal) if goal <= 2 * most else most
    drawing = Drawing(_WIDTH, height)
    step = (_WIDTH - left - 4) / max(1, len(counts))
    scale = (height - bottom - 5 * mm) / top
    every = max(1, len(counts) // 15)
    for place, (day, count) in enumerate(content.days):
        x = left + place * step
        drawing.add(_block(x + 0.1 * step, bottom, 0.8 * step, count * scale, _BAR))
        if place % every == 0:
            drawing.add(_label(x + step / 2, bottom - 8, day, "middle"))
    drawing.add(Line(left, bottom, _WIDTH, bottom, strokeColor=_RULE))
    drawing.add(_label(left - 3, bottom + most * scale - 3, number(most), "end"))
    if goal <= top:
        y = bottom + goal * scale
        drawing.add(Line(left, y, _WIDTH, y, strokeColor=_URGENT, strokeWidth=0.6, strokeDashArray=[3, 2]))
        drawing.add(_label(_WIDTH, y + 2, f"{name} {number(goal)}", "end"))
    return drawing


def _week(content: Content) -> Drawing:
    """Seven rows of 24 cells; the darker, the more."""
    left, cell = 16 * mm, (_WIDTH - 16 * mm) / 24
    row = 4.2 * mm
    drawing = Drawing(_WIDTH, 7 * row + 5 * mm)
    most = max(1, int(content.week.max(initial=0)))
    for day in range(7):
        y = (6 - day) * row
        drawing.add(_label(left - 4, y + 3, content.weekdays[day], "end"))
        for hour in range(24):
            count = int(content.week[day, hour])
            share = 0.12 + 0.88 * count / most if count else 0.0
            drawing.add(_block(left + hour * cell, y, cell - 1, row - 1, _blended(share)))
            if count:
                label = _label(left + (hour + 0.5) * cell, y + 3, str(count), "middle")
                label.fillColor = HexColor("#ffffff") if share > 0.55 else _TEXT
                label.fontSize = 6
                drawing.add(label)
    for hour in range(0, 24, 3):
        drawing.add(_label(left + (hour + 0.5) * cell, 7 * row + 2, f"{hour:02d}", "middle"))
    return drawing


def _blended(share: float) -> Color:
    pale, full = (0.95, 0.96, 0.97), (0.043, 0.388, 0.69)
    return Color(*(a + (b - a) * share for a, b in zip(pale, full, strict=True)))


def _block(x: float, y: float, width: float, height: float, colour: Color) -> Rect:
    block = Rect(x, y, width, height)
    block.fillColor, block.strokeColor = colour, None
    return block


def _label(x: float, y: float, text: str, anchor: Literal["start", "middle", "end"]) -> String:
    return String(x, y, text, fontName=_font(text), fontSize=7, fillColor=_PALE, textAnchor=anchor)


def _words(
    text: str, size: float, colour: Color = _TEXT, *, is_bold: bool = False, is_right: bool = False
) -> Paragraph:
    font = _font(text)
    style = ParagraphStyle(
        "plain",
        fontName=_BOLD if is_bold and font == _LATIN else font,
        fontSize=size,
        leading=size * 1.35,
        textColor=colour,
        alignment=2 if is_right else 0,
        wordWrap="CJK" if font == _CHINESE else None,
    )
    return Paragraph(escape(text), style)


def _font(text: str) -> str:
    """Helvetica has what Latin-1 has, dashes and the like; all else is set in the Chinese font."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return _CHINESE
    return _LATIN
