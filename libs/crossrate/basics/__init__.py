"""The desk's values, all pure: currencies, pairs, calendars, sessions, tenors, value dates."""
