"""Releases: two versions of a service side by side, and calls moved between them step by step."""
