"""Books compared all the time: what is read, what differs, what that gates, and how it is corrected."""
