"""Quotes of feeds as history: how they are stored, asked for, replayed and made into bars."""
