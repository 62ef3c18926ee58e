"""Quotes as columns: what feeds, files, bars and history have in common. Numpy and the kernel, nothing else."""
