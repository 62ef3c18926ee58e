"""What the ledger keeps, each a port and PostgreSQL behind it."""
