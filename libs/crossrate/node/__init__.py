"""One mesh on one machine: the processes, their addresses and their credentials."""
