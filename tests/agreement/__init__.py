"""Agreement with other libraries over generated cases, more of them than a unit test needs, and with QuickFIX's scripts."""
