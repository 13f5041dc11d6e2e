"""What is kept where, how much room is left, and letting go of what has come of age."""
