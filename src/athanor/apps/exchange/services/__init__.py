"""What a user can do or ask in data sharing, and what is checked by the clock."""
