"""Who is who, and who may do what: persons, clients, API keys, sessions, tokens."""
