"""What a person sees of data health."""

from athanor.apps.datahealth.pages.data_map import data_map
from athanor.apps.datahealth.pages.datahealth import datahealth
from athanor.apps.datahealth.pages.lookup import lookup
from athanor.apps.datahealth.pages.quality import quality

__all__ = ["data_map", "datahealth", "lookup", "quality"]
