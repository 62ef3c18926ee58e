"""What pricing cannot do with what it was given, in words for who gave it."""

from __future__ import annotations


class Refused(ValueError):
    """An argument cannot be used.

    Attributes:
        field: its path in the request ("product.forward.value_date"); a list's element with its index.
        words: what is wrong and what would be right.
    """

    def __init__(self, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.field = field
        self.words = words


class Missing(LookupError):
    """The market lacks something that the price needs.

    Attributes:
        resource: what is missing: "curve", "surface", "spot rate".
        name: of what: "USD", "EUR/USD".
        remedy: what would help; "" where it goes without saying.
    """

    def __init__(self, resource: str, name: str, remedy: str = "") -> None:
        super().__init__(f"the market has no {resource} of {name}")
        self.resource = resource
        self.name = name
        self.remedy = remedy
