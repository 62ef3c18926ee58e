"""The store of quotes: Parquet files by venue, instrument and day, committed as one table.

`crossrate.history.store.TickStore` is the way in. pyarrow, deltalake and duckdb are imported when a store is opened.
"""
