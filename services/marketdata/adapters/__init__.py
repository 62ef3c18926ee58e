"""Ways to reach a venue, one a module; see services.marketdata.adapter."""
