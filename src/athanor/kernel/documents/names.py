"""Names of files as people send them, made such that every system can keep them and none is fooled by them."""

import re
import unicodedata

LONGEST = 180  # characters
_LONGEST_ENDING = 12
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)", re.IGNORECASE)
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # general categories: direction marks are Cf


def safe_name(name: str) -> str:
    """A file's name without folders, invisible signs and what Windows does not take; its ending stays.

    What is left has at most LONGEST characters, and is `file` where nothing is left.
    """
    sent = name.encode("utf-8", "replace").decode()  # half of a character is none
    seen = "".join(sign for sign in sent if unicodedata.category(sign) not in _INVISIBLE)
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", seen))[-1]
    plain = re.sub(r"\s+", " ", _FORBIDDEN.sub("_", last)).strip(". ")
    stem, ending = split_ending(plain or "file")
    if _RESERVED.fullmatch(stem.partition(".")[0].strip()):
        stem = f"_{stem}"
    return stem[: LONGEST - len(ending)].rstrip(". ") + ending


def split_ending(name: str) -> tuple[str, str]:
    """A name's stem, and its ending with the dot: `plan.v2`, `.pdf`; the ending is empty where there is none."""
    stem, dot, ending = name.rpartition(".")
    if not dot or not stem or not ending or len(ending) > _LONGEST_ENDING or " " in ending:
        return name, ""
    return stem, f".{ending}"
