"""What a person sees of data sharing."""

from athanor.apps.exchange.pages.catalogue import catalogue
from athanor.apps.exchange.pages.grants import grant, grants
from athanor.apps.exchange.pages.lending import lend
from athanor.apps.exchange.pages.product import product
from athanor.apps.exchange.pages.publishing import change, publish

__all__ = ["catalogue", "change", "grant", "grants", "lend", "product", "publish"]
