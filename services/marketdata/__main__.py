"""Runs one instance: `python -m services.marketdata`."""

from crossrate.runtime.process import run
from services.marketdata.main import serve

if __name__ == "__main__":
    run(serve)
