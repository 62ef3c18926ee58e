"""Accounts; double-entry books: positions, cash and profit of every account."""
