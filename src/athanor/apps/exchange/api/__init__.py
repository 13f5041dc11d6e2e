"""REST routes of Data sharing, under /api/v1/exchange."""

from athanor.apps.exchange.api.grants import router as grants
from athanor.apps.exchange.api.products import router as products

__all__ = ["grants", "products"]
