"""What is judged without a clock, a database or a network."""
