"""What Notifications does for its users."""
