"""The kernel against QuantLib over grids of cases that a unit test has no time for."""
