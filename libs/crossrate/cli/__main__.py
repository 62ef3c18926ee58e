"""`python -m crossrate.cli`."""

from crossrate.cli.main import main

main()
