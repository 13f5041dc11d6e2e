"""What carries events and live batches between the parts."""
