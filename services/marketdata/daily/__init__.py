"""Daily rates: the European Central Bank's, and those of any declared file, with all crosses."""
