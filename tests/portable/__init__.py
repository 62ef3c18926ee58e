"""The kernel on other processors and by other compilers."""
