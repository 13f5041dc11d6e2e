"""What a person sees of data sharing."""

from athanor.apps.exchange.pages.catalogue import catalogue
from athanor.apps.exchange.pages.product import product
from athanor.apps.exchange.pages.publishing import change, publish

__all__ = ["catalogue", "change", "product", "publish"]
