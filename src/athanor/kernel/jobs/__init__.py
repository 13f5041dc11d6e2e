"""Long work in the background, with progress, for whoever asked for it."""
