-- What is to be done, is being done and was done. A job is leased: who runs it holds the row until
-- leased_until_us, and `lease` counts how often it was handed out, so that whoever lost it is known.
CREATE TABLE job (
    id BIGINT PRIMARY KEY NOT NULL,
    system TEXT NOT NULL,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    due_us BIGINT NOT NULL,
    missed BIGINT NOT NULL,
    state TEXT NOT NULL,
    run_after_us BIGINT NOT NULL,
    lease BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    leased_by TEXT,
    leased_until_us BIGINT,
    started_us BIGINT,
    finished_us BIGINT,
    message TEXT
);

-- One job of a system runs at a time, and one of a kind waits: it makes up for all before it.
CREATE UNIQUE INDEX job_running ON job (system) WHERE state = 'running';
CREATE UNIQUE INDEX job_waiting ON job (system, kind) WHERE state = 'waiting';
CREATE INDEX job_due ON job (state, run_after_us);
CREATE INDEX job_of ON job (system, kind, id);

-- The last number that a job was given; in a row, because the databases differ in how they count.
CREATE TABLE job_number (
    one BIGINT PRIMARY KEY NOT NULL,
    last BIGINT NOT NULL
);

-- Up to which due instant a system's jobs of a kind were planned. Whoever moves it on plans the job.
CREATE TABLE planned (
    system TEXT NOT NULL,
    kind TEXT NOT NULL,
    until_us BIGINT NOT NULL,
    PRIMARY KEY (system, kind)
);
