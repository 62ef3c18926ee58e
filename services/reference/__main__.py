"""`python -m services.reference`: one instance, its surroundings from the environment."""

from crossrate.runtime.process import run
from services.reference.main import serve

run(serve)
