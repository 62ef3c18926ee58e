"""What a job is, how far it has come, and what becomes of a file."""
