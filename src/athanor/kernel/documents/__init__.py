"""Documents: files that people keep, in versions, tied to what they are about."""
