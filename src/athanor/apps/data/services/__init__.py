"""What Data does for a person."""
