"""What a person sees of data health."""

from athanor.apps.datahealth.pages.datahealth import datahealth

__all__ = ["datahealth"]
