"""Where an app keeps its translations: the folder `locale` beside its manifest."""

import inspect
from pathlib import Path

from athanor.kernel.apps.app import App


def locale_folder(app: App) -> Path | None:
    """The app's folder of translations, found from the code of its first page; None for an app without pages."""
    if not app.pages:
        return None
    for folder in Path(inspect.getfile(inspect.unwrap(app.pages[0].builder))).resolve().parents:
        if (folder / "manifest.toml").is_file():
            return folder / "locale"
    return None
