"""`python -m services.identity`: one instance, its surroundings from the environment."""

from crossrate.runtime.process import run
from services.identity.main import serve

run(serve)
