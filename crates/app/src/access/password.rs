//! Passwords: which ones are taken, and how they are kept.
//!
//! Rules after NIST SP 800-63B, 3.1.1: length, and a look at what guessers try first; nothing about
//! which characters. Kept as argon2id with the parameters that OWASP's Password Storage Cheat Sheet
//! recommends (19 MiB, two passes), in PHC form, so that later parameters can live beside them.

use std::collections::HashSet;
use std::sync::OnceLock;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use super::AccessError;

/// Characters that a password must have at least.
pub const LENGTH_MIN: usize = 12;
/// And at most: enough for any sentence, and little to hash.
const LENGTH_MAX: usize = 256;
/// Characters that must differ from each other.
const DIFFERENT_MIN: usize = 5;
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Of lists of what leaked most often, those that are long enough to pass otherwise.
const COMMON: &[&str] = &[
    "123456789012",
    "1234567890123",
    "1234567890qwerty",
    "123456789qwerty",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "abcdefghijkl",
    "abcdefghijklm",
    "changeme1234",
    "changemenow1",
    "iloveyou1234",
    "letmein12345",
    "password1234",
    "password12345",
    "password123456",
    "passwordpassword",
    "q1w2e3r4t5y6",
    "qwerty123456",
    "qwertyqwerty",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiopas",
    "qwertyuiopasdf",
    "correcthorsebatterystaple",
    "administrator",
    "administrator1",
    "welcome12345",
    "zaq12wsxcde3",
];

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PasswordError {
    #[error("a password has at least {LENGTH_MIN} characters: a few words in a row are good")]
    Short,
    #[error("a password has at most {LENGTH_MAX} characters")]
    Long,
    #[error("this password contains your login, which a guesser tries first: choose another")]
    Login,
    #[error("this password is among the first that a guesser tries: choose another")]
    Guessable,
}

/// Whether a password may be chosen for a login.
pub(super) fn check(password: &str, login: &str) -> Result<(), PasswordError> {
    let length = password.chars().count();
    if length < LENGTH_MIN {
        return Err(PasswordError::Short);
    }
    if length > LENGTH_MAX {
        return Err(PasswordError::Long);
    }
    let folded = password.to_lowercase();
    // A short login, or a short part before the @, may be a part of any word.
    let named = [Some(login), login.split('@').next()].into_iter().flatten();
    let mut named = named.filter(|name| name.chars().count() >= DIFFERENT_MIN);
    if named.any(|name| folded.contains(name)) {
        return Err(PasswordError::Login);
    }
    let different = folded.chars().collect::<HashSet<_>>().len();
    if different < DIFFERENT_MIN || COMMON.contains(&folded.as_str()) {
        return Err(PasswordError::Guessable);
    }
    Ok(())
}

fn argon2() -> Result<Argon2<'static>, AccessError> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| AccessError::Hash(error.into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash under which a password is kept.
pub(super) fn hash(password: &str) -> Result<String, AccessError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)?;
    let hash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(AccessError::Hash)?;
    Ok(hash.to_string())
}

/// Whether a password is the one of a hash. Where there is none the same work is done, so that time does not
/// tell which accounts exist.
pub(super) fn verify(password: &str, kept: Option<&str>) -> Result<bool, AccessError> {
    static OF_NOBODY: OnceLock<String> = OnceLock::new();
    let (against, exists) = match (kept, OF_NOBODY.get()) {
        (Some(kept), _) => (kept, true),
        (None, Some(nobody)) => (nobody.as_str(), false),
        (None, None) => {
            let made = hash("")?;
            (OF_NOBODY.get_or_init(|| made).as_str(), false)
        }
    };
    let is_right = argon2()?.verify_password(password.as_bytes(), against).is_ok();
    Ok(exists && is_right)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn length_and_guesses_decide_and_nothing_else() {
        let check = |password: &str, expected| {
            assert_eq!(check(password, "margaret@example.org"), expected, "{password}");
        };
        check("twelve chars", Ok(()));
        check("eleven char", Err(PasswordError::Short));
        check("ελληνικάλεξη", Ok(()));
        check("all lower case words", Ok(()));
        check(&"word and ".repeat(29), Err(PasswordError::Long));
        check("aaaaaaaaaaaaaaaa", Err(PasswordError::Guessable));
        check("Password1234", Err(PasswordError::Guessable));
        check("I am Margaret!", Err(PasswordError::Login));
        check("margaret@example.org", Err(PasswordError::Login));
    }

    #[test]
    fn a_hash_is_argon2id_with_the_parameters_that_owasp_names() {
        let kept = hash("correct horse").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_ne!(kept, hash("correct horse").unwrap(), "salted");
        assert!(verify("correct horse", Some(&kept)).unwrap());
        assert!(!verify("correct house", Some(&kept)).unwrap());
        assert!(!verify("", None).unwrap());
        assert!(!verify("x", Some("damaged")).unwrap());
    }

    #[test]
    fn a_hash_that_another_program_made_is_read() {
        // By argon2-cffi 25.1, which binds the reference implementation in C: 8 MiB, three passes.
        let kept = "$argon2id$v=19$m=8192,t=3,p=1$03yX1BmxYISo2/GYELlZVQ$\
                    4xhKYe9Z8MzxAjqITL1ShTAVvys8YIhM7jA9HrFltCU";
        assert!(verify("correct horse battery", Some(kept)).unwrap());
        assert!(!verify("correct horse batterz", Some(kept)).unwrap());
    }

    #[test]
    fn an_unknown_account_costs_as_much_work_as_a_known_one() {
        let kept = hash("correct horse").unwrap();
        let time = |kept: Option<&str>| {
            let begun = Instant::now();
            verify("wrong", kept).unwrap();
            begun.elapsed()
        };
        // The least of some, so that a busy machine does not decide.
        time(None);
        let least = |kept| (0..5).map(|_| time(kept)).min().unwrap();
        let (known, unknown) = (least(Some(kept.as_str())), least(None));
        assert!(unknown * 3 > known, "known {known:?}, unknown {unknown:?}");
    }
}
