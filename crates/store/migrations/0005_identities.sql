-- Who an account is at a provider of single sign-on. A person there is an issuer and a subject; what the provider
-- calls them is kept to be shown. `follows` says whether their groups decide what the account may do.
CREATE TABLE identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (id),
    shown TEXT NOT NULL,
    follows BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX identity_account ON identity (account);

-- The provider that signed somebody in; none where a password did.
ALTER TABLE session ADD COLUMN issuer TEXT;
