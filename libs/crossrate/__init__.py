"""crossrate: what the services share, the generated contracts, the Python SDK and the `crossrate` command."""

__version__ = "0.1.0"
