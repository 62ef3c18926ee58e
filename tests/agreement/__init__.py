"""The kernel against QuantLib over products and conventions: thousands of cases, the worst of each printed."""
