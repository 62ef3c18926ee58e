"""Agreement with other libraries over more generated cases than a unit test needs, and with QuickFIX's scripts."""
