"""Where batches enter the server: checked, converted, stored, and only then acknowledged and shown."""
