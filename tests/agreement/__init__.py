"""The kernel against QuantLib over grids of cases that a unit test has no time for."""

"""Agreement with other libraries over wide grids of products, conventions and markets."""
"""The kernel against QuantLib over products and conventions: thousands of cases, the worst of each printed."""
