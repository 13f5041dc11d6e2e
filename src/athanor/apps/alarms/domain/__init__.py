"""What can be computed of alarms: pure functions, NumPy in, NumPy out."""
