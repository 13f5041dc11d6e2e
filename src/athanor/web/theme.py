"""The theme: where its files live and how a page comes to have them. The colours themselves are in static/theme.css."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from nicegui import app as nicegui_app
from nicegui import ui

STATIC = Path(__file__).with_name("static")
ADDRESS = "/_athanor"
COOKIE = "athanor_theme"  # light or dark; anything else follows the system. static/shell.js reads and writes it
THEMES: Sequence[str] = ("system", "light", "dark")

MARK = (STATIC / "mark.svg").read_text(encoding="utf-8").replace('stroke="#5c6671"', 'stroke="currentColor"')


def mount_theme() -> None:
    """Serve the theme's files and put them into the head of every page. Once, before the server starts."""
    version = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()))).hexdigest()[:12]
    address = f"{ADDRESS}/{version}"  # a new release has a new address, so that browsers may keep it for a year
    nicegui_app.add_static_files(address, STATIC, max_cache_age=31_536_000)
    ui.add_head_html(
        f'<link rel="stylesheet" href="{address}/theme.css"><script src="{address}/shell.js"></script>', shared=True
    )
