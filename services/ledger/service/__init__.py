"""The gRPC surface of `ledger`, a module a service of the contract."""
