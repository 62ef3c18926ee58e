"""Random bytes and random frames for the lean transport, and what has to hold whatever they are."""
