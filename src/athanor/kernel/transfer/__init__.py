"""History in bulk: files of other systems read, checked and stored in the historian."""
