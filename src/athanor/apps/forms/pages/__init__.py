"""What a person sees of forms."""

from athanor.apps.forms.pages.build_list import build_list
from athanor.apps.forms.pages.building import build
from athanor.apps.forms.pages.entry import entry, new_entry
from athanor.apps.forms.pages.home import home

__all__ = ["build", "build_list", "entry", "home", "new_entry"]
