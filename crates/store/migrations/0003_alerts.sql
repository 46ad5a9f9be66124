-- How a system's alerts stand: one document, replaced as a whole by whoever read the version before it.
CREATE TABLE alert_state (
    system TEXT PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL
);

-- Alerts that have ended.
CREATE TABLE alert_episode (
    system TEXT NOT NULL,
    until_us BIGINT NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    episode TEXT NOT NULL,
    PRIMARY KEY (system, until_us, rule, subject)
);

CREATE TABLE silence (
    id TEXT PRIMARY KEY NOT NULL,
    until_us BIGINT NOT NULL,
    silence TEXT NOT NULL
);

CREATE TABLE acknowledgement (
    system TEXT NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    acknowledgement TEXT NOT NULL,
    PRIMARY KEY (system, rule, subject, at_us)
);

-- Messages on their way to a contact: written with the state that they follow from, so that none is lost and
-- none is made twice.
CREATE TABLE delivery (
    id TEXT PRIMARY KEY NOT NULL,
    system TEXT NOT NULL,
    contact TEXT NOT NULL,
    message TEXT NOT NULL,
    made_us BIGINT NOT NULL,
    -- waiting, delivered or dead
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_us BIGINT NOT NULL,
    ended_us BIGINT,
    said TEXT NOT NULL
);

CREATE INDEX delivery_waiting ON delivery (state, next_us);
