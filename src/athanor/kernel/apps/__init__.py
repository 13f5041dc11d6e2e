"""The door that apps come in by: manifest, declarations, registry."""
