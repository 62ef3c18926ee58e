"""PostgreSQL for identity: rows that are the truth, facts that tell of every change, in one transaction."""
