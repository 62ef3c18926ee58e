"""Files of quotes and bars as vendors write them: shapes as data, rows in bounded chunks, what is wrong by line."""
