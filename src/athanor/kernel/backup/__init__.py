"""Copies of everything that a server keeps, taken while it runs, checked, and brought back into a new place."""
