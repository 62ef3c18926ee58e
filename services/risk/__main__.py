"""`python -m services.risk`: one instance, its surroundings from the environment."""

from crossrate.runtime.process import run
from services.risk.main import serve

run(serve)
