"""What the stable version was asked, asked of a candidate as well, and the answers compared."""
