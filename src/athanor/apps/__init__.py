"""Industrial apps: each a room of its own."""
