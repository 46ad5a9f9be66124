-- Every lineage event as it was received, in one chain for all systems: what data and models have in common crosses
-- systems. A record is the exact text that the hash in the next one covers. The same event is kept once.
CREATE TABLE lineage (
    seq BIGINT PRIMARY KEY NOT NULL,
    event_hash TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL
);

CREATE TABLE lineage_end (
    id BIGINT PRIMARY KEY NOT NULL,
    records BIGINT NOT NULL,
    hash TEXT NOT NULL
);

INSERT INTO lineage_end (id, records, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
