"""Pure functions of the trends: gaps, and the range a person looks at."""
