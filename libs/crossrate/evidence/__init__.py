"""Is the candidate worse than stable? Sequential tests that may be looked at after every observation."""
