"""Python imports this at its start where this folder is on its path: the processes of a mesh of the chaos harness."""

from tests.chaos.points import install

install()
