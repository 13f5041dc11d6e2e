"""Heavy calculations, beside the server's own process."""
