"""Telling people: notices of what happened, who is to hear of them, by which channel, what became of each message."""
