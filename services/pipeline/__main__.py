"""`python -m services.pipeline`: one instance, its surroundings from the environment."""

from crossrate.runtime.process import run
from services.pipeline.main import serve

run(serve)
