//! Whether an ID token is the provider's, for us, and about this attempt (OpenID Connect Core 1.0, section 3.1.3.7).

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{CoreGenderClaim, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{
    ClaimsVerificationError, ClientId, IdTokenClaims, IdTokenVerifier, IssuerUrl, Nonce,
    SignatureVerificationError, TokenResponse as _,
};

use super::TokenResponse;
use super::claims::Others;

/// How far the provider's clock may be from ours.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Signatures with a key that the provider alone has: neither none at all, nor one by a secret that both know.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The claims of the ID token in an answer, if everything that must hold of it does.
pub(super) fn verify<'a>(
    answer: &'a TokenResponse,
    keys: &CoreJsonWebKeySet,
    (issuer, client): (&IssuerUrl, &ClientId),
    nonce: &Nonce,
    at: Timestamp,
) -> Result<&'a IdTokenClaims<Others, CoreGenderClaim>, ClaimsVerificationError> {
    let other = |reason: &str| ClaimsVerificationError::Other(reason.to_owned());
    let token = answer.id_token().ok_or_else(|| other("there is none in the answer"))?;
    let (earliest, latest) = (system_time(at.saturating_sub(SKEW)), system_time(at.saturating_add(SKEW)));
    let verifier = IdTokenVerifier::new_public_client(client.clone(), issuer.clone(), keys.clone())
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || earliest.into())
        .set_issue_time_verifier_fn(move |issued| {
            if SystemTime::from(issued) > latest { Err("issued in the future".into()) } else { Ok(()) }
        });
    let claims = token.claims(&verifier, nonce)?;
    if claims.authorized_party().is_some_and(|party| party != client) {
        return Err(ClaimsVerificationError::InvalidAudience("it was made for another client".into()));
    }
    Ok(claims)
}

/// Whether the same token may hold against the keys that the provider has now.
pub(super) fn may_be_a_new_key(error: &ClaimsVerificationError) -> bool {
    use SignatureVerificationError::{AmbiguousKeyId, CryptoError, NoMatchingKey};
    let ClaimsVerificationError::SignatureVerification(error) = error else { return false };
    matches!(error, NoMatchingKey | CryptoError(_) | AmbiguousKeyId(_))
}

/// Instants before 1970, which no clock shows, become 1970.
fn system_time(at: Result<Timestamp, jiff::Error>) -> SystemTime {
    let seconds = at.map_or(0, |at| at.as_second().max(0) as u64);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
