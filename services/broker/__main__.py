"""`python -m services.broker`: one instance, its surroundings from the environment."""

from crossrate.runtime.process import run
from services.broker.main import serve

run(serve)
