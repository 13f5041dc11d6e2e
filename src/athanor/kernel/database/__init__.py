"""Transactional tables: one engine and its options, the base of all models, and the migrations."""
