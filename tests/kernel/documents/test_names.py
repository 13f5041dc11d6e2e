"""Names of files: whatever is sent, what is kept is safe on every system and fools nobody."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis.strategies import text

from athanor.kernel.documents.names import LONGEST, safe_name

_RLO = "\u202e"  # right to left from here: shows exe.fdp as pdf.exe


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\olga\plan.pdf", "plan.pdf"),
        (f"invoice{_RLO}fdp.exe", "invoicefdp.exe"),
        ("zero\u200bwidth\u2066.pdf", "zerowidth.pdf"),
        ("con.txt", "_con.txt"),
        ("NUL", "_NUL"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ('a<b>c:d"e|f?g*h.txt', "a_b_c_d_e_f_g_h.txt"),
        ("ends in dots . . .", "ends in dots"),
        (".htaccess", "htaccess"),
        ("tab\tand\nline.txt", "tabandline.txt"),
        ("", "file"),
        ("/", "file"),
        ("..", "file"),
        ("=cmd()", "=cmd()"),
        ("底吹炉 图纸.dwg", "底吹炉 图纸.dwg"),
        ("e\u0301tude.pdf", "\u00e9tude.pdf"),
        ("half\ud800.pdf", "half_.pdf"),
        (". .x", "x"),
        ("e\u200d\u0301.pdf", "\u00e9.pdf"),
    ],
)
def test_a_name_is_kept_as_every_system_takes_it(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


def test_300_characters_are_cut_and_the_ending_stays() -> None:
    kept = safe_name("x" * 300 + ".pdf")
    assert (len(kept), kept[-4:]) == (LONGEST, ".pdf")


@given(text(max_size=400))
def test_no_name_leads_elsewhere_hides_anything_or_changes_when_sent_again(sent: str) -> None:
    kept = safe_name(sent)
    assert 0 < len(kept) <= LONGEST
    assert not set(kept) & set('/\\<>:"|?*')
    assert all(unicodedata.category(sign)[0] != "C" for sign in kept)
    assert not {kept[0], kept[-1]} & set(" .")
    assert safe_name(kept) == kept
