-- Accounts. A password is an argon2id hash in PHC form; there is none before the invitation was followed.
CREATE TABLE account (
    id TEXT PRIMARY KEY NOT NULL,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password TEXT,
    role TEXT NOT NULL,
    functions TEXT NOT NULL,
    systems TEXT NOT NULL,
    is_disabled BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    seen_us BIGINT
);

-- Links that let somebody choose a password: for an account, or (without one) for the very first admin.
-- The digest of the code is kept, never the code.
CREATE TABLE invitation (
    code TEXT PRIMARY KEY NOT NULL,
    account TEXT REFERENCES account (id),
    expires_us BIGINT NOT NULL
);

-- Browsers that are signed in, under the digest of the cookie's secret.
CREATE TABLE session (
    secret TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL REFERENCES account (id),
    created_us BIGINT NOT NULL,
    seen_us BIGINT NOT NULL,
    address TEXT NOT NULL,
    browser TEXT NOT NULL
);

CREATE INDEX session_account ON session (account);

-- Tokens of the API, under the digest of their text. One that was revoked stays to be named.
CREATE TABLE token (
    id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL REFERENCES account (id),
    secret TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    scopes TEXT NOT NULL,
    systems TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    used_us BIGINT,
    revoked_us BIGINT
);

-- Attempts to sign in that failed, by account and by address.
CREATE TABLE throttle (
    subject TEXT PRIMARY KEY NOT NULL,
    failures BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    open_us BIGINT NOT NULL
);

-- Who changed what. A record is the exact text that the hash of the next one covers.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY NOT NULL,
    record TEXT NOT NULL
);

CREATE TABLE audit_end (
    id BIGINT PRIMARY KEY NOT NULL,
    records BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_end (id, records, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
