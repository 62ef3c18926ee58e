"""What runs: one task a venue, and the reports that they commit."""
