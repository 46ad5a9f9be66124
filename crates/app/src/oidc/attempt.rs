//! One attempt to sign in by a provider, which one browser begins and ends.
//!
//! All of it is the text of a short-lived cookie. What the provider is told (state, nonce, the challenge of PKCE)
//! follows from that text, of which 256 bits are random, so nothing is kept on the server and every server of a
//! database can end what another began. A state that does not follow from the cookie is of another browser.

use jiff::{SignedDuration, Timestamp};
use types::Digest;

use crate::access::{AccessError, Secret};

/// How long somebody may take at the provider.
pub const VALID: SignedDuration = SignedDuration::from_mins(10);

/// What is to happen when the provider has said who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    SignIn,
    /// Add the person at the provider to the account of the session that has this proof.
    Link {
        proof: &'a str,
    },
}

/// An attempt that has begun.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    text: String,
    proof: String,
    back: String,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").field("back", &self.back).finish_non_exhaustive()
    }
}

impl Attempt {
    /// A new one, which leads to the page `back`.
    ///
    /// # Errors
    /// The operating system gives no random numbers.
    pub fn begin(purpose: Purpose<'_>, back: &str, at: Timestamp) -> Result<Self, AccessError> {
        let secret = Secret::random("")?;
        let (kind, proof) = match purpose {
            Purpose::SignIn => (SIGN_IN, ""),
            Purpose::Link { proof } => (LINK, proof),
        };
        let encoded: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
        let text = format!("{kind}.{}.{}.{encoded}", at.as_second(), secret.text());
        Ok(Self { text, proof: proof.to_owned(), back: back.to_owned() })
    }

    /// The attempt of a cookie, unless it is over; `proof` is the one of the session that the browser has now.
    pub fn of_cookie(text: &str, proof: Option<&str>, at: Timestamp) -> Option<Self> {
        let mut parts = text.splitn(4, '.');
        let (kind, begun, _secret, back) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let proof = match kind {
            SIGN_IN => "",
            LINK => proof?,
            _ => return None,
        };
        let begun = Timestamp::from_second(begun.parse().ok()?).ok()?;
        let age = at.duration_since(begun);
        if age < SignedDuration::ZERO || age >= VALID {
            return None;
        }
        let (back, _) = url::form_urlencoded::parse(back.as_bytes()).next()?;
        Some(Self { text: text.to_owned(), proof: proof.to_owned(), back: back.into_owned() })
    }

    /// For the cookie; letters, digits and `.-_*+%` only.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where to go afterwards; who goes there must look whether it is a page of ours.
    pub fn back(&self) -> &str {
        &self.back
    }

    pub fn links(&self) -> bool {
        self.text.starts_with(LINK)
    }

    /// Whether what came back is the answer to this attempt. Digests are compared, so that time does not tell
    /// how much of it was right.
    pub fn is_answered_by(&self, state: &str) -> bool {
        Digest::of(state.as_bytes()) == Digest::of(self.state().as_bytes())
    }

    pub(super) fn state(&self) -> String {
        self.derived("state")
    }

    pub(super) fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// 64 characters, within the 43 to 128 of RFC 7636, section 4.1.
    pub(super) fn verifier(&self) -> String {
        self.derived("verifier")
    }

    fn derived(&self, what: &str) -> String {
        Digest::of(format!("{what} {} {}", self.proof, self.text).as_bytes()).to_string()
    }
}

const SIGN_IN: &str = "sign-in";
const LINK: &str = "link";

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_442_000).unwrap() + seconds.seconds()
    }

    #[test]
    fn an_attempt_is_found_again_by_its_cookie_for_ten_minutes() {
        let begun = Attempt::begin(Purpose::SignIn, "/systems/a?b=c.d&e=%2F ä", at(0)).unwrap();
        let of = |seconds| Attempt::of_cookie(begun.text(), None, at(seconds));
        assert_eq!(of(0), Some(begun.clone()));
        assert_eq!(of(599).unwrap().back(), "/systems/a?b=c.d&e=%2F ä");
        assert_eq!(of(600), None);
        assert_eq!(of(-1), None, "from a future that never was");
        assert!(begun.text().bytes().all(|b| b.is_ascii_alphanumeric() || b"-._*+%".contains(&b)));
        for damaged in ["", "sign-in", "sign-in.1.x", "other.1772442000.x.%2F", "sign-in.x.x.%2F"] {
            assert_eq!(Attempt::of_cookie(damaged, None, at(0)), None, "{damaged}");
        }
    }

    #[test]
    fn only_the_state_of_the_same_cookie_answers_it() {
        let [one, other] = [0, 1].map(|_| Attempt::begin(Purpose::SignIn, "/", at(0)).unwrap());
        assert!(one.is_answered_by(&one.state()));
        for state in [other.state(), one.nonce(), one.verifier(), String::new()] {
            assert!(!one.is_answered_by(&state));
        }
        let moved = one.text().replace("sign-in.1772442000", "sign-in.1772442300");
        let moved = Attempt::of_cookie(&moved, None, at(300)).unwrap();
        assert!(!moved.is_answered_by(&one.state()), "time cannot be put back");
        assert!(!format!("{one:?}").contains(one.text().split('.').nth(2).unwrap()));
    }

    #[test]
    fn an_account_is_linked_only_by_the_session_that_asked() {
        let begun = Attempt::begin(Purpose::Link { proof: "p" }, "/settings", at(0)).unwrap();
        assert!(begun.links());
        assert_eq!(Attempt::of_cookie(begun.text(), None, at(0)), None);
        let of = |proof| Attempt::of_cookie(begun.text(), Some(proof), at(0)).unwrap();
        assert!(of("p").is_answered_by(&begun.state()));
        assert!(!of("q").is_answered_by(&begun.state()));
    }
}
