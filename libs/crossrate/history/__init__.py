"""The store of quotes: Parquet files by venue, instrument and day, committed as one table.

`crossrate.history.store.TickStore` is the way in. pyarrow and deltalake are imported when a store is opened.
"""
