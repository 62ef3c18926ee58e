"""Market data: daily reference rates, and live quotes that any instance serves from one shared log."""
