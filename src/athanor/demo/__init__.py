"""The living reference plant: three enterprises and their park, simulated and served over real protocols."""
