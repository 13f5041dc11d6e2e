"""What a person can ask of alarms, and do with them."""
