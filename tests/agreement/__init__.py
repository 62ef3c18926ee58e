"""Agreement with other libraries over generated cases, more of them than a unit test needs."""
"""Agreement with other libraries over wide grids of products, conventions and markets."""
