"""What an order may do, and what its account makes of it: pure, integers only."""
