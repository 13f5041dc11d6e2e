"""What those who look after the house can ask and do."""
