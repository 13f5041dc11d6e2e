"""Real protocol servers that show the living plant to the outside, one module a protocol."""
