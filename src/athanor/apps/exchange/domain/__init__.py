"""What is shared, under which contract, and how two versions of it differ: pure."""
