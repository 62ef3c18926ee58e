"""Prices of foreign exchange products, and the snapshots of the market that they are made from."""
