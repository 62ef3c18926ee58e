-- What breaks between a venue's books and ours stop, as broker said it last: rules of the gate until it says otherwise.
CREATE TABLE break_gate (
    venue text PRIMARY KEY,
    number bigint NOT NULL CHECK (number > 0),
    content bytea NOT NULL          -- crossrate.api.risk.v1.SetBreakGatesRequest
);
