"""Corrections: what a person changes in stored samples, with what was there before, for ever."""
