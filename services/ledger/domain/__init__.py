"""The rules of the books: pure values, exact decimals, neither gRPC nor a database."""
