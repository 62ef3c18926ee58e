-- What a dataset's rows are: 1 quotes, 2 a venue's own bars.
ALTER TABLE dataset ADD COLUMN kind smallint NOT NULL DEFAULT 1 CHECK (kind BETWEEN 1 AND 2);

ALTER TABLE job_file ADD COLUMN resumed_rows bigint NOT NULL DEFAULT 0;

CREATE INDEX dataset_file_order ON dataset_file (dataset, generation, load_time, digest);

-- How far the load of a large file has come: what its rows so far have left, and the files of the store that have them and
-- are of no commit yet. Whoever loads the same content by the same specification goes on from there.
CREATE TABLE checkpoint (
    dataset              text        NOT NULL REFERENCES dataset,
    generation           bigint      NOT NULL,
    digest               text        NOT NULL,
    specification_digest text        NOT NULL,
    job_id               text        NOT NULL,
    rows                 bigint      NOT NULL,
    state                bytea       NOT NULL,
    pending              jsonb       NOT NULL,
    update_time          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dataset, generation, digest)
);

-- What vacuums of the store deleted.
CREATE TABLE vacuum (
    time       timestamptz NOT NULL DEFAULT clock_timestamp() PRIMARY KEY,
    min_age_s  bigint      NOT NULL,
    files      bigint      NOT NULL,
    bytes      bigint      NOT NULL,
    kept       bigint      NOT NULL,
    error      text        NOT NULL DEFAULT ''
);
