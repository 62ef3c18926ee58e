"""Instruments, currencies, trading sessions, settlement calendars and value dates."""
