"""`python -m services.audit`: one instance, its surroundings from the environment."""

from crossrate.runtime.process import run
from services.audit.main import serve

run(serve)
