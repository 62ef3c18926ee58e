-- Levels of margin of desks, for accounts that have none of their own.
CREATE TABLE desk_margin (
    desk    text   PRIMARY KEY,
    version bigint NOT NULL CHECK (version > 0),
    message bytea  NOT NULL
);

-- ListEquity asks again and again for what is new.
CREATE INDEX book_last_entry ON book (last_entry);
