//! Signed checkpoints: whoever kept the key says how far a chain had come at a time.
//!
//! A cut or rewritten chain cannot be told from a whole one by its own lines. A checkpoint that was signed, and
//! is kept or was given away, can: the chain must go through it. Signatures are Ed25519 (RFC 8032).

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use jiff::Timestamp;
use store::{Chain, SignedCheckpoint};
use types::evidence::Checkpoint;

#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error("failed to read or write the signing key `{path}`: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("`{path}` is not a signing key: it holds 64 hexadecimal digits, as a server wrote them")]
    NotAKey { path: PathBuf },
    #[error("no random numbers are to be had for a signing key: {0}")]
    Random(getrandom::Error),
}

/// Why a signed checkpoint does not hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CheckpointFault {
    #[error("the checkpoint at {records} records has a signature that is not one of its key")]
    BadSignature { records: u64 },
    #[error("the chain has {found} records, and {signed} were signed for: the tail was cut")]
    Cut { found: u64, signed: u64 },
    #[error("record {records} is not the one that was signed for: the chain was rewritten")]
    Rewritten { records: u64 },
}

/// The key of a server, made when it is first asked for.
///
/// # Errors
/// The file cannot be read or made.
pub fn key(path: &Path) -> Result<SigningKey, SigningError> {
    let io = |source| SigningError::Io { path: path.to_owned(), source };
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let bytes = from_hex(text.trim()).and_then(|bytes| bytes.try_into().ok());
            let bytes = bytes.ok_or_else(|| SigningError::NotAKey { path: path.to_owned() })?;
            Ok(SigningKey::from_bytes(&bytes))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(SigningError::Random)?;
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(io)?;
            }
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path).map_err(io)?;
            file.write_all((to_hex(&seed) + "\n").as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
            Ok(SigningKey::from_bytes(&seed))
        }
        Err(source) => Err(io(source)),
    }
}

/// A short name for whoever has a key, the same for as long as it is kept.
pub fn name(key: &SigningKey) -> String {
    const BYTES: usize = 6;
    to_hex(&key.verifying_key().as_bytes()[..BYTES])
}

/// Signs the end of a chain.
pub fn sign(key: &SigningKey, chain: &str, checkpoint: Checkpoint, at: Timestamp) -> SignedCheckpoint {
    let signature = key.sign(text(chain, checkpoint, at).as_bytes());
    SignedCheckpoint {
        checkpoint,
        at,
        public_key: to_hex(key.verifying_key().as_bytes()),
        signature: to_hex(&signature.to_bytes()),
    }
}

/// Whether a chain goes through a checkpoint that somebody signed.
///
/// # Errors
/// What is wrong.
pub fn verify(chain: &Chain, signed: &SignedCheckpoint) -> Result<(), CheckpointFault> {
    let Checkpoint { records, hash } = signed.checkpoint;
    let is_signed = || {
        let key = VerifyingKey::from_bytes(&from_hex(&signed.public_key)?.try_into().ok()?).ok()?;
        let signature = Signature::from_bytes(&from_hex(&signed.signature)?.try_into().ok()?);
        key.verify_strict(text(&chain.id, signed.checkpoint, signed.at).as_bytes(), &signature).ok()
    };
    if is_signed().is_none() {
        return Err(CheckpointFault::BadSignature { records });
    }
    if records > chain.end.records {
        return Err(CheckpointFault::Cut { found: chain.end.records, signed: records });
    }
    let there = chain.records.get(records as usize).map_or(chain.end.hash, |next| next.previous);
    if there == hash { Ok(()) } else { Err(CheckpointFault::Rewritten { records }) }
}

/// What a signature covers.
fn text(chain: &str, checkpoint: Checkpoint, at: Timestamp) -> String {
    format!("forewarn checkpoint 1\n{chain}\n{checkpoint}\n{at}\n")
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence_file::tests::evidence;
    use types::evidence::extend_chain;

    fn chain(summaries: &[&str]) -> Chain {
        let mut chain = Chain::unread("s");
        for summary in summaries {
            let (records, _, end) = extend_chain(chain.end, evidence(summary)).unwrap();
            chain.records.extend(records);
            chain.end = end;
        }
        chain
    }

    fn at() -> Timestamp {
        "2026-01-05T06:00:00.123456Z".parse().unwrap()
    }

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/signing.key");
        let made = key(&path).unwrap();
        assert_eq!(key(&path).unwrap().to_bytes(), made.to_bytes());
        std::fs::write(&path, "no key").unwrap();
        assert!(matches!(key(&path), Err(SigningError::NotAKey { .. })));
    }

    /// RFC 8032, section 7.1, test 1.
    #[test]
    fn a_public_key_is_the_one_of_the_standard() {
        let seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let key = SigningKey::from_bytes(&seed.try_into().unwrap());
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(to_hex(key.verifying_key().as_bytes()), public);
    }

    #[test]
    fn a_chain_goes_through_what_was_signed_or_is_found_out() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let whole = chain(&["a", "b", "c"]);
        let early = sign(&key, "s", chain(&["a", "b"]).end, at());
        let last = sign(&key, "s", whole.end, at());
        assert_eq!(verify(&whole, &early), Ok(()));
        assert_eq!(verify(&whole, &last), Ok(()));
        assert_eq!(verify(&chain(&["a", "b"]), &last), Err(CheckpointFault::Cut { found: 2, signed: 3 }));
        let other = chain(&["a", "x", "c"]);
        assert_eq!(verify(&other, &early), Err(CheckpointFault::Rewritten { records: 2 }));
        assert_eq!(verify(&other, &last), Err(CheckpointFault::Rewritten { records: 3 }));
    }

    #[test]
    fn a_checkpoint_that_was_changed_is_not_signed() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let whole = chain(&["a"]);
        let signed = sign(&key, "s", whole.end, at());
        let bad = Err(CheckpointFault::BadSignature { records: 1 });
        let later = Timestamp::from_second(at().as_second() + 1).unwrap();
        assert_eq!(verify(&whole, &SignedCheckpoint { at: later, ..signed.clone() }), bad);
        assert_eq!(verify(&whole, &SignedCheckpoint { signature: "00".into(), ..signed.clone() }), bad);
        let other = sign(&SigningKey::from_bytes(&[8; 32]), "s", whole.end, at());
        assert_eq!(verify(&whole, &SignedCheckpoint { public_key: other.public_key, ..signed }), bad);
    }
}
