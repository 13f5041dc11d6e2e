"""What rights are made of: pure."""
