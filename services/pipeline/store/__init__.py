"""Jobs and datasets in the service's schema: what was asked for, what is done, what the history has of it."""
