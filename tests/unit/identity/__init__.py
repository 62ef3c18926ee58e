"""Identity without a database."""
