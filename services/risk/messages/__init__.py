"""Messages as values and back."""
