"""Pure functions of the trends: gaps, statistics, search, and the range a person looks at."""
