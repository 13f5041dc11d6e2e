"""How the file is read: where its table begins, and how it is written. The first rows as they stand in the file."""

from collections.abc import Awaitable, Callable, Sequence

from athanor.kernel.transfer.dialect import FileKind
from athanor.kernel.transfer.examining import Examined
from athanor.kernel.transfer.numbers import Decimal
from athanor.kernel.transfer.series import Shape
from athanor.web.components import Words, choice, number_field, region
from athanor.web.language import _

Decide = Callable[[tuple[str, ...], object], Awaitable[None]]

_SHOWN_ROWS = 8
_SHOWN_COLUMNS = 12
_LONGEST = 40
_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 (BOM)",
    "gb18030": "GB 18030 / GBK",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "cp1252": "Windows-1252",
}


class FileCard:
    """The card; `decide` is told what the person changes."""

    def __init__(self, decide: Decide) -> None:
        self._decide = decide
        with region("ath-card", "section"):
            with region("ath-card-head"):
                Words(_("How the file is read"), "h2")
            self._body = region("ath-card-body ath-fields")

    def show(self, examined: Examined) -> None:
        """What was found, for correction."""
        self._body.clear()
        with self._body:
            with region("ath-fields-row"):
                if examined.head.kind is FileKind.TEXT:
                    self._text_fields(examined)
                if len(examined.head.sheets) > 1:
                    self._sheet_field(examined)
                if examined.head.kind is not FileKind.PARQUET:
                    self._row_fields(examined)
                shapes = {
                    Shape.WIDE.value: _("Wide: a row is a time, each column a tag"),
                    Shape.LONG.value: _("Long: a row is a sample with its tag"),
                }
                chosen = examined.guess.shape.value
                choice(_("Shape"), shapes, chosen, lambda text: self._decide(("shape",), text), name="shape")
            _first_rows(examined)

    def _text_fields(self, examined: Examined) -> None:
        dialect = examined.head.dialect
        if dialect is None:
            return
        known = dialect.model_dump(mode="json")

        def changed(part: str) -> Callable[[str], Awaitable[None]]:
            return lambda text: self._decide(("file", "dialect"), {**known, part: text})

        encodings = {dialect.encoding: dialect.encoding, **_ENCODINGS}
        choice(_("Encoding"), encodings, dialect.encoding, changed("encoding"), name="encoding")
        delimiters = {",": _("Comma ,"), ";": _("Semicolon ;"), "\t": _("Tab"), "|": _("Bar |")}
        choice(_("Between cells"), delimiters, dialect.delimiter, changed("delimiter"), name="delimiter")
        decimals = {Decimal.POINT.value: _("Point 1.5"), Decimal.COMMA.value: _("Comma 1,5")}
        chosen = dialect.decimal.value if examined.head.is_decimal_certain else None
        choice(_("Decimal mark"), decimals, chosen, changed("decimal"), name="decimal")

    def _sheet_field(self, examined: Examined) -> None:
        sheets = {name: name for name in examined.head.sheets}
        chosen = examined.file.sheet or examined.head.sheets[0]
        choice(_("Sheet"), sheets, chosen, lambda text: self._decide(("file",), {"sheet": text}), name="sheet")

    def _row_fields(self, examined: Examined) -> None:
        file = examined.file

        def changed(part: str) -> Callable[[str], Awaitable[None]]:
            return lambda text: self._decide(("file",), self._with_rows(examined, part, text))

        number_field(_("Row of names (0: none)"), file.header_row, changed("header_row"), name="header_row")
        number_field(_("Row of units (0: none)"), file.unit_row, changed("unit_row"), name="unit_row")
        number_field(_("First row of samples"), file.first_row, changed("first_row"), name="first_row", least=1)

    @staticmethod
    def _with_rows(examined: Examined, part: str, text: str) -> dict[str, object]:
        """The whole of `file`, since the parts of the table belong together."""
        file = examined.file
        row = int(text) if text.isdigit() else getattr(file, part)
        rows = {"header_row": file.header_row, "unit_row": file.unit_row, "first_row": file.first_row, part: row}
        rows["first_row"] = max(rows["first_row"], rows["header_row"] + 1, rows["unit_row"] + 1)
        dialect = None if examined.head.dialect is None else examined.head.dialect.model_dump(mode="json")
        return {**rows, "sheet": file.sheet, "dialect": dialect}


def _first_rows(examined: Examined) -> None:
    """The first rows of the file as they stand there; the rows of names and units are marked."""
    file = examined.file
    marks = {file.header_row: _("names"), file.unit_row: _("units"), file.first_row: _("first sample")}
    with (
        region("ath-table-scroll ath-raw", tabindex="0", role="region", aria_label=_("First rows of the file")),
        region("ath-table", "table"),
        region(tag="tbody"),
    ):
        for number, row in enumerate(examined.head.cells[:_SHOWN_ROWS], start=1):
            with region("is-names" if number in (file.header_row, file.unit_row) else "", "tr"):
                _first_row(number, row, marks.get(number, ""))


def _first_row(number: int, row: Sequence[str], mark: str) -> None:
    with region("is-number", "th", scope="row"):
        Words(str(number))
        if mark:
            Words(mark, "small")
    for cell in row[:_SHOWN_COLUMNS]:
        Words(_short(cell), "td")
    if len(row) > _SHOWN_COLUMNS:
        Words(_("and {n} more").format(n=len(row) - _SHOWN_COLUMNS), "td", "ath-summary")


def _short(cell: str) -> str:
    return cell if len(cell) <= _LONGEST else f"{cell[:_LONGEST]}…"
