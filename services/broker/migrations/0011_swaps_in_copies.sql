-- What a fill of a swap does to the position: its far leg less its near one, in the order's direction.
ALTER TABLE drop_copy ADD COLUMN net bigint;
