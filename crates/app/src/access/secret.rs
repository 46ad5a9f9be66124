//! Random secrets, of which the database holds only digests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use types::Digest;

use super::AccessError;

/// A text that lets somebody in. Shown once; it does not appear where values are printed for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one of 256 random bits.
    ///
    /// # Errors
    /// The operating system gives no random numbers.
    pub fn random(prefix: &str) -> Result<Self, AccessError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// One that somebody brings.
    pub fn given(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// Under what it is kept. No salt or slow hash is needed: 256 random bits cannot be guessed.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// What proves that a form came from a page of this session. It follows from the secret, which pages
    /// and scripts never see, and not from anything in the database.
    pub fn csrf(&self) -> String {
        Digest::of(format!("csrf {}", self.0).as_bytes()).to_string()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A short id for something that is named in addresses.
pub(super) fn id() -> Result<String, AccessError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_random_and_not_printed() {
        let (one, other) = (Secret::random("fw_").unwrap(), Secret::random("fw_").unwrap());
        assert_ne!(one, other);
        assert_eq!(one.text().len(), 3 + 43);
        assert!(!format!("{one:?}").contains(&one.text()[3..]));
        assert_ne!(one.csrf(), other.csrf());
        assert_ne!(one.csrf(), one.digest().to_string());
    }
}
