"""Documents: what is told by calculation alone."""
