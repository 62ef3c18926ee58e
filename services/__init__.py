"""The programs of the platform, one folder each. Nothing imports them."""
