"""The log of all feeds' books: the quotes' log once more, with a stream of its own.

Books are many times larger than quotes. In a stream of their own they push no quote out, whoever follows quotes does
not read them, and both are sized by themselves.
"""

from __future__ import annotations

from services.marketdata.quote_log import QuoteLog


class BookLog(QuoteLog):
    """Appended to and fenced as the log of quotes, entry by entry of each feed."""

    stream = "books"
    log_subject = "crossrate.marketdata.v1.books_published."
    announced_subject = "crossrate.marketdata.v1.books_announced."
    kind = "crossrate.api.marketdata.v1.BooksPublished"
