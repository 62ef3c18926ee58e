"""Candidates of releases with a fault planted, and what a release must make of each."""
