"""How large files look."""

_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def size_text(count: int) -> str:
    """Bytes in the unit that fits: `1.2 MB`."""
    unit, factor = next(((unit, factor) for unit, factor in _UNITS if count >= factor), ("B", 1.0))
    shown = count / factor
    return f"{shown:,.0f} {unit}" if shown >= 100 or unit == "B" else f"{shown:,.1f} {unit}"
