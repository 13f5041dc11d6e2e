"""Pure functions of the overview: limits, freshness, and what to show of many tags."""
