-- One chain of evidence for each system. A line is the exact text that its hash covers, so that what is
-- exported is, byte for byte, what was recorded.
CREATE TABLE chain (
    id TEXT PRIMARY KEY NOT NULL,
    records BIGINT NOT NULL,
    hash TEXT NOT NULL
);

CREATE TABLE evidence (
    chain TEXT NOT NULL REFERENCES chain (id),
    seq BIGINT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (chain, seq)
);

-- The end of a chain at a time, signed; kept here and exported, it proves that no tail was cut since.
CREATE TABLE checkpoint (
    chain TEXT NOT NULL REFERENCES chain (id),
    records BIGINT NOT NULL,
    hash TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    public_key TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (chain, records, public_key)
);

-- Systems that are or were served, and every definition that they had.
CREATE TABLE system (
    id TEXT PRIMARY KEY NOT NULL,
    folder TEXT NOT NULL,
    definition TEXT NOT NULL,
    seen_us BIGINT NOT NULL
);

CREATE TABLE definition (
    system TEXT NOT NULL,
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    first_seen_us BIGINT NOT NULL,
    PRIMARY KEY (system, hash)
);
