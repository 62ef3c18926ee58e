"""`python -m services.pricing`: one instance, its surroundings from the environment."""

from crossrate.runtime.process import run
from services.pricing.main import serve

run(serve)
