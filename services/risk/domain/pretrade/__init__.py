"""Checks before a trade: what accounts hold and have working, the limits, and what an order would make of them."""
