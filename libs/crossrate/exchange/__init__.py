"""An exchange as a value: order books that match, and a venue around one."""
