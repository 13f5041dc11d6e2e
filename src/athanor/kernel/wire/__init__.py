"""Formats on the wire that both an edge and a simulated device speak."""
