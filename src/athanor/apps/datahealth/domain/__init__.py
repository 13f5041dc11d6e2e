"""Pure functions of data health: which values are old or bad."""
