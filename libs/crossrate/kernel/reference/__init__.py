"""The numpy twin of every kernel function: the readable reference, and what serves where there is no compiled build."""
