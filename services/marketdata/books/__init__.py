"""Order books of marketdata: their log, who writes it, what every instance has of it, and how it is served."""
