"""Hours of calls over the lean transport, and what its server keeps of them."""
