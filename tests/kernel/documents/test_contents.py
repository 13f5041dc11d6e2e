"""What a file is, told by what is in it."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis.strategies import binary

from athanor.kernel.documents.contents import (
    CSV,
    HEAD_BYTES,
    HTML,
    PROGRAM,
    SHOWN_AS_TEXT,
    SHOWN_INLINE,
    SVG,
    TEXT,
    UNKNOWN,
    XML,
    is_allowed,
    media_type_of,
    rows_of_head,
    text_of_head,
)
from athanor.kernel.sections import FilesSettings

from .sending import PDF, PNG

OFFICE = "application/vnd.openxmlformats-officedocument"


def zipped(*names: str) -> bytes:
    """An archive of files with these names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"<x/>" * 50)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PDF, "application/pdf"),
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"), f"{OFFICE}.wordprocessingml.document"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), f"{OFFICE}.spreadsheetml.sheet"),
        (zipped("a.txt", "word/b.txt"), "application/zip"),
        (b"AC1032" + bytes(50), "image/vnd.dwg"),
        (b"MZ\x90\x00\x03" + bytes(200), PROGRAM),
        (b"\x7fELF\x02\x01", PROGRAM),
        (b"#!/bin/sh\nrm -rf /\n", PROGRAM),
        (b"<!DOCTYPE html><p>", HTML),
        (b"\xef\xbb\xbf  <HTML><script>alert(1)</script>", HTML),
        (b"<!-- a\nb --> <script >x", HTML),
        ("<html>".encode("utf-16"), HTML),
        (b"<?xml version='1.0'?><!-- x --><svg xmlns='x' onload='alert(1)'>", SVG),
        (b"<svg><script>alert(1)</script></svg>", SVG),
        (b"<?xml version='1.0'?><plant/>", XML),
        ("时间,温度\n2026-05-04,1200\n".encode("gb18030"), CSV),
        (b"a;b\n1;2\n", CSV),
        (b"Dear all, this is prose.\nIt has commas, and lines, and more.\n", TEXT),
        (b"BMW is no bitmap", TEXT),
        (b"MZ is how this text begins", TEXT),
        (b"\x00\x01\x02\x03", UNKNOWN),
    ],
)
def test_the_type_is_what_is_in_it(content: bytes, expected: str) -> None:
    assert media_type_of(content[:HEAD_BYTES]) == expected


def test_nothing_that_could_run_is_ever_shown_in_the_browser() -> None:
    assert not {HTML, SVG, XML, PROGRAM, UNKNOWN} & (SHOWN_INLINE | SHOWN_AS_TEXT)


def test_programs_and_what_nobody_knows_are_not_taken_by_default() -> None:
    allowed = FilesSettings().allowed_types
    assert [is_allowed(one, allowed) for one in (PROGRAM, UNKNOWN, "application/pdf", CSV)] == [
        False,
        False,
        True,
        True,
    ]


@given(binary(max_size=2000))
def test_any_bytes_have_a_type_and_what_is_text_can_be_read(content: bytes) -> None:
    if media_type_of(content) in SHOWN_AS_TEXT:
        assert text_of_head(content) is not None


def test_a_character_that_is_cut_in_two_at_the_end_of_the_head_does_no_harm() -> None:
    head = ("炉" * HEAD_BYTES).encode()[:HEAD_BYTES]
    assert media_type_of(head) == TEXT
    assert text_of_head(head) == "炉" * (HEAD_BYTES // 3)


def test_a_table_shows_its_first_rows_and_prose_shows_none() -> None:
    assert rows_of_head('a,b\n1,"x,y"\n2,z\n3,w\n', 3) == [["a", "b"], ["1", "x,y"], ["2", "z"]]
    assert rows_of_head("one\ntwo\n", 3) == []
