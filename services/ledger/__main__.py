"""`python -m services.ledger`: one instance, its surroundings from the environment."""

from crossrate.runtime.process import run
from services.ledger.main import serve

run(serve)
