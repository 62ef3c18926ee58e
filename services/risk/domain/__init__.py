"""The business of risk, without input or output."""
