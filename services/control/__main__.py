"""`python -m services.control`: one control plane."""

from crossrate.runtime.process import run
from services.control.main import serve

run(serve)
