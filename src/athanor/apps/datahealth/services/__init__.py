"""What data health answers: troubled values now, quality scores, what the platform holds."""
