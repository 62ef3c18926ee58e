"""Orders: entry, checks by risk, durable execution reports, triggers, lists, sessions."""
