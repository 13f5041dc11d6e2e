"""What an administrator can do and ask."""
