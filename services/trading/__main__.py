"""`python -m services.trading`: one instance, its surroundings from the environment."""

from crossrate.runtime.process import run
from services.trading.main import serve

run(serve)
