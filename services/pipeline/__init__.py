"""Files of quotes into the history: declared jobs, each file whole or not at all, once."""
