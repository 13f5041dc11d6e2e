"""What a file is, by what is in it and not by what it is called."""

import csv
import io
import re
from fnmatch import fnmatchcase

HEAD_BYTES = 64 * 1024  # how much of a file is looked at

UNKNOWN = "application/octet-stream"
PROGRAM = "application/x-executable"
TEXT, CSV, HTML, XML, SVG, PDF = (
    "text/plain",
    "text/csv",
    "text/html",
    "application/xml",
    "image/svg+xml",
    "application/pdf",
)
_OFFICE = "application/vnd.openxmlformats-officedocument"

# The first that fits counts: where it begins, what stands there, what that means.
_MARKS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", PDF),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"\x7fELF", PROGRAM),
    (0, b"\xca\xfe\xba\xbe", PROGRAM),  # Java, Mach-O for several processors
    (0, b"\xce\xfa\xed\xfe", PROGRAM),
    (0, b"\xcf\xfa\xed\xfe", PROGRAM),
    (0, b"\xfe\xed\xfa\xce", PROGRAM),
    (0, b"\xfe\xed\xfa\xcf", PROGRAM),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", PROGRAM),  # Windows shortcut
    (0, b"\x00asm", PROGRAM),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),  # empty
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # .doc, .xls, .ppt, .msg
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"AC10", "image/vnd.dwg"),
    (4, b"ftyp", "video/mp4"),
    (0, b"PAR1", "application/vnd.apache.parquet"),
    (0, b"ISO-10303-21;", "model/step"),
)
_ZIPPED = (
    (b"word/", f"{_OFFICE}.wordprocessingml.document"),
    (b"xl/", f"{_OFFICE}.spreadsheetml.sheet"),
    (b"ppt/", f"{_OFFICE}.presentationml.presentation"),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
    (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
)
_HTML = re.compile(
    rb"(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*"
    rb"<(?:!doctype\s+html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[\s>/]",
    re.IGNORECASE | re.DOTALL,
)
_SVG = re.compile(rb"(?:<\?xml[^>]*>|<!--.*?-->|<!doctype\s[^>]*>|\s)*<(?:\w+:)?svg[\s>]", re.IGNORECASE | re.DOTALL)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")

SHOWN_INLINE = frozenset({PDF, "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})  # run no script
SHOWN_AS_TEXT = frozenset({TEXT, CSV})


def media_type_of(head: bytes) -> str:
    """The media type of a file that begins so; UNKNOWN where nothing is recognised.

    `head` is its first HEAD_BYTES, or all of it where it is shorter.
    """
    if head.startswith(b"MZ") and b"\x00" in head[:512]:
        return PROGRAM
    for start, mark, found in _MARKS:
        if head.startswith(mark, start):
            if found == "image/bmp" and b"\x00" not in head[:26]:
                continue  # a text that begins with BM
            return _zipped(head) if found == "application/zip" else found
    return _text_type(head)


def is_allowed(media_type: str, allowed: tuple[str, ...]) -> bool:
    """Whether one of these patterns, such as `image/*`, covers the type."""
    return any(fnmatchcase(media_type, pattern) for pattern in allowed)


def text_of_head(head: bytes) -> str | None:
    """A text's beginning as people read it: UTF-8, UTF-16 with its mark, or GB 18030; None where it is no text."""
    for encoding in ("utf-16",) if head.startswith(_BOMS[1:]) else ("utf-8-sig", "gb18030"):
        for cut in range(4):  # the last character may be cut in two
            try:
                text = head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return None if _CONTROL.search(text) else text
    return None


def rows_of_head(text: str, most: int) -> list[list[str]]:
    """The first rows of a text as a table; none where it is no table of two columns at least."""
    lines = text.splitlines()[: most + 1]
    if not lines:
        return []
    delimiter = max(",;\t|", key=lines[0].count)
    if not lines[0].count(delimiter):
        return []
    rows = [row for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter) if row][:most]
    width = len(rows[0]) if rows else 0
    alike = sum(len(row) == width for row in rows)
    return rows if width > 1 and alike >= 0.9 * len(rows) else []


def _zipped(head: bytes) -> str:
    if b"[Content_Types].xml" in head or head[30:].startswith(b"mimetype"):
        return next((found for mark, found in _ZIPPED if mark in head), "application/zip")
    return "application/zip"


def _text_type(head: bytes) -> str:
    start = head
    for bom in _BOMS:
        start = start.removeprefix(bom)
    marked = _marked_up(start.lstrip())
    if marked is not None:
        return marked
    text = text_of_head(head)
    if text is None:
        return UNKNOWN
    plain = CSV if _is_table(text) else TEXT
    return _marked_up(text.lstrip().encode()) or plain  # markup in another encoding


def _marked_up(start: bytes) -> str | None:
    if start.startswith(b"#!"):
        return PROGRAM
    if _SVG.match(start):
        return SVG
    if _HTML.match(start):
        return HTML
    return XML if start.startswith(b"<?xml") else None


def _is_table(text: str) -> bool:
    """Whether each of the first lines has the same columns: prose with commas has not."""
    rows = rows_of_head(text, 20)
    return len(rows) > 1 and len({len(row) for row in rows}) == 1
