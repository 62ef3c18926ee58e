-- Jobs, their files, what was found in them, and the datasets that came of it.
CREATE TABLE job (
    id                   text        PRIMARY KEY,
    name                 text        NOT NULL,
    dataset              text        NOT NULL,
    venue                text        NOT NULL,
    state                smallint    NOT NULL CHECK (state BETWEEN 1 AND 6),
    dry_run              boolean     NOT NULL,
    specification        text        NOT NULL,
    specification_digest text        NOT NULL,
    is_local             boolean     NOT NULL,
    progress             jsonb       NOT NULL DEFAULT '{}',
    error                text        NOT NULL DEFAULT '',
    cancel_requested     boolean     NOT NULL DEFAULT false,
    is_listed            boolean     NOT NULL DEFAULT false,
    attempts             integer     NOT NULL DEFAULT 0,
    attempts_in_vain     integer     NOT NULL DEFAULT 0,
    create_time          timestamptz NOT NULL DEFAULT clock_timestamp(),
    start_time           timestamptz,
    end_time             timestamptz
);

CREATE INDEX job_open ON job (id) WHERE state <= 2;
CREATE INDEX job_dataset ON job (dataset, id);

CREATE TABLE job_file (
    job_id     text     NOT NULL REFERENCES job ON DELETE CASCADE,
    ordinal    integer  NOT NULL CHECK (ordinal > 0),
    uri        text     NOT NULL,
    size_bytes bigint   NOT NULL,
    state      smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 6),
    digest     text     NOT NULL DEFAULT '',
    lines      bigint   NOT NULL DEFAULT 0,
    rows       bigint   NOT NULL DEFAULT 0,
    rejected   bigint   NOT NULL DEFAULT 0,
    message    text     NOT NULL DEFAULT '',
    PRIMARY KEY (job_id, ordinal)
);

-- What a file is like, by instrument: a QualityReport of the contract.
CREATE TABLE report (
    job_id       text    NOT NULL REFERENCES job ON DELETE CASCADE,
    file_ordinal integer NOT NULL,
    number       integer NOT NULL,
    message      bytea   NOT NULL,
    PRIMARY KEY (job_id, file_ordinal, number)
);

CREATE TABLE rejected_row (
    job_id       text    NOT NULL REFERENCES job ON DELETE CASCADE,
    file_ordinal integer NOT NULL,
    number       integer NOT NULL,
    member       text    NOT NULL,
    line         bigint  NOT NULL,
    text         text    NOT NULL,
    reason       text    NOT NULL,
    PRIMARY KEY (job_id, file_ordinal, number)
);

-- A dataset that is deleted begins a new generation: what was loaded into the one before is not of it.
CREATE TABLE dataset (
    name                 text        PRIMARY KEY,
    venue                text        NOT NULL,
    generation           bigint      NOT NULL DEFAULT 1 CHECK (generation > 0),
    is_deleting          boolean     NOT NULL DEFAULT false,
    deleted_rows         bigint      NOT NULL DEFAULT 0,
    job_id               text        NOT NULL DEFAULT '',
    specification_digest text        NOT NULL DEFAULT '',
    update_time          timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A file that was loaded, or is about to be: the row is there before the store has the file's quotes, and is settled
-- after. Which of both happened before a crash, the store's own position tells.
CREATE TABLE dataset_file (
    dataset    text        NOT NULL REFERENCES dataset,
    generation bigint      NOT NULL,
    digest     text        NOT NULL,
    uri        text        NOT NULL,
    recipe     text        NOT NULL,
    job_id     text        NOT NULL,
    ordinal    integer     NOT NULL,
    is_settled boolean     NOT NULL,
    lines      bigint      NOT NULL,
    rows       bigint      NOT NULL,
    rejected   bigint      NOT NULL,
    load_time  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dataset, generation, digest)
);

CREATE INDEX dataset_file_uri ON dataset_file (dataset, generation, uri);

CREATE TABLE dataset_span (
    dataset    text   NOT NULL,
    generation bigint NOT NULL,
    digest     text   NOT NULL,
    instrument text   NOT NULL,
    rows       bigint NOT NULL,
    first_time bigint NOT NULL,
    last_time  bigint NOT NULL,
    PRIMARY KEY (dataset, generation, digest, instrument),
    FOREIGN KEY (dataset, generation, digest) REFERENCES dataset_file ON DELETE CASCADE
);

-- What a web server said of a file that is loaded, so that it is not fetched again while it stays the same.
CREATE TABLE fetched (
    dataset       text   NOT NULL REFERENCES dataset,
    generation    bigint NOT NULL,
    url           text   NOT NULL,
    etag          text   NOT NULL,
    last_modified text   NOT NULL,
    digest        text   NOT NULL,
    PRIMARY KEY (dataset, generation, url)
);
