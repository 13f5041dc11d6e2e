"""Forms that are built without code, entries of them, and the flow of decisions about each."""
