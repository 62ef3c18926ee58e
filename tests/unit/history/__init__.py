"""Tests of crossrate.history without other processes."""
