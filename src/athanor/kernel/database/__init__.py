"""Transactional tables: engine, migrations."""
