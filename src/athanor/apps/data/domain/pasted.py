"""Lists that people paste: out of a spreadsheet, an e-mail, a program."""

import re

_BETWEEN = re.compile(r"[\s,;|]+")
_AROUND = "\"'`[](){}"


def pasted_words(text: str) -> list[str]:
    """The words of a list, each once, whatever parts them: lines, commas, semicolons, tabs, quotes."""
    words = (word.strip(_AROUND) for word in _BETWEEN.split(text))
    return list(dict.fromkeys(word for word in words if word))
