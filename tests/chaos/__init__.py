"""Kills and stops real processes at random points, and holds what is left against what each client was told.

The parts are for any service: a supervisor of processes, a nemesis that chooses victims from a seed, a history of what
clients were told, and a checker. `marketdata` is the first harness that is made of them.
"""
