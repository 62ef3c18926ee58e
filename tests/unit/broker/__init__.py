"""Broker without network and database."""
