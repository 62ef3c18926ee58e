"""Venues: the simulated exchange, and those that speak FIX."""
