"""Athanor: an operating system for process plants and the parks around them."""

__version__ = "0.1.0"
