"""The historian: every sample, kept for years and answered in milliseconds."""
