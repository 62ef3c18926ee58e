"""Server and client of every call: contracts, deadlines, validation, errors, health, metrics, traces."""
