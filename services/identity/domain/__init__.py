"""What identity is about, without a clock, a database or a network of its own."""
