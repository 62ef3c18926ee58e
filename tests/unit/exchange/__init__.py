"""Tests of crossrate.exchange."""
