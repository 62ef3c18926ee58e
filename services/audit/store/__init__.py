"""The log in PostgreSQL: `log` appends, `tree` has hashes and proofs, `reading` finds and exports."""
