"""Agreement with other libraries over wide grids of products, conventions and markets."""
