"""The business of pricing, pure: markets, dates, legs, their worth. Time and market are arguments."""
