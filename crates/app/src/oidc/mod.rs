//! A provider of OpenID Connect: where people are sent to sign in, and what it says of them afterwards.
//!
//! [`Provider::begin`] gives the address to send a browser to, [`Provider::identify`] exchanges the code that it
//! comes back with for a verified ID token. Every value that ties the two to one browser comes from an
//! [`Attempt`]. The authorization code flow with PKCE (S256) is the only one. What somebody who was identified
//! may do here is decided in `access::sign_on`. All requests go over `delivery::http`'s agent: bounded in time
//! and size, and no redirect is followed.

mod attempt;
mod claims;
mod error;
mod http;
mod token;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse,
    CoreTokenType,
};
use openidconnect::{
    AuthType, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl,
    LogoutRequest, Nonce, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse,
};
use types::organisation::Oidc;

use crate::delivery::secret::{Revealed, SecretError, reveal};
pub use attempt::{Attempt, Purpose, VALID as ATTEMPT_VALID};
pub use claims::Identified;
use claims::Others;
pub use error::ProviderError;

/// What a provider says of itself is asked for again after this time, and whenever a token is signed with a key
/// that is not among those that are known.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(1);

type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type TokenResponse = StandardTokenResponse<Fields, CoreTokenType>;
type Client = openidconnect::Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    TokenResponse,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider as `organisation.toml` names it, with what it last said of itself.
#[derive(Debug)]
pub struct Provider {
    settings: Oidc,
    issuer: IssuerUrl,
    secret: Option<Revealed>,
    known: Mutex<Option<Known>>,
}

/// What a provider said of itself: addresses and keys.
#[derive(Clone, Debug)]
struct Known {
    metadata: Arc<ProviderMetadataWithLogout>,
    at: Timestamp,
}

/// A provider that cannot be used as it is written.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("`login.oidc.issuer` is not an address: {0}")]
    Issuer(#[from] url::ParseError),
    #[error("`login.oidc.client_secret`: {0}")]
    Secret(#[from] SecretError),
}

impl Provider {
    /// `folder` is what a secret in a file is relative to. Nobody is asked yet: a provider that is down keeps
    /// nobody from starting the server.
    ///
    /// # Errors
    /// The issuer is not an address, or the client's secret cannot be read.
    pub fn new(settings: Oidc, folder: &Path) -> Result<Self, SettingsError> {
        let issuer = IssuerUrl::new(settings.issuer.clone())?;
        let secret = settings.client_secret.as_ref().map(|secret| reveal(secret, folder)).transpose()?;
        Ok(Self { settings, issuer, secret, known: Mutex::new(None) })
    }

    pub fn settings(&self) -> &Oidc {
        &self.settings
    }

    /// The address to send a browser to, which comes back to `redirect`.
    ///
    /// # Errors
    /// The provider does not answer, or not as a provider does.
    pub fn begin(&self, attempt: &Attempt, redirect: &str, at: Timestamp) -> Result<String, ProviderError> {
        let metadata = self.metadata(at)?;
        let client = self.client(&metadata, redirect)?;
        let (state, nonce) = (CsrfToken::new(attempt.state()), Nonce::new(attempt.nonce()));
        let verifier = PkceCodeVerifier::new(attempt.verifier());
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        // The scope `openid` is there without being added.
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid");
        let request = client
            .authorize_url(flow, || state, || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(scopes.map(|scope| Scope::new(scope.clone())));
        Ok(request.url().0.into())
    }

    /// Who came back with a code: what the ID token that it is exchanged for says, verified, and what it leaves
    /// out from the provider's page of users.
    ///
    /// # Errors
    /// The provider does not answer or does not take the code, or its token is not valid.
    pub fn identify(
        &self,
        attempt: &Attempt,
        code: &str,
        redirect: &str,
        at: Timestamp,
    ) -> Result<Identified, ProviderError> {
        let metadata = self.metadata(at)?;
        let client = self.client(&metadata, redirect)?;
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier()))
            .request(&http::send)?;
        let (nonce, id) = (Nonce::new(attempt.nonce()), ClientId::new(self.settings.client_id.clone()));
        let verify = |keys: &CoreJsonWebKeySet| token::verify(&answer, keys, (&self.issuer, &id), &nonce, at);
        let verified = match verify(metadata.jwks()) {
            // The provider may sign with a new key.
            Err(error) if token::may_be_a_new_key(&error) => verify(self.ask(at)?.jwks()),
            verified => verified,
        }?;
        claims::identified(&client, &answer, verified, &self.settings)
    }

    /// The provider's page to sign out on, which leads back to `back`; none where it offers none.
    ///
    /// # Errors
    /// The provider does not answer, or not as a provider does.
    pub fn sign_out(&self, back: &str, at: Timestamp) -> Result<Option<String>, ProviderError> {
        let metadata = self.metadata(at)?;
        let Some(page) = metadata.additional_metadata().end_session_endpoint.clone() else { return Ok(None) };
        let request = LogoutRequest::from(page)
            .set_client_id(ClientId::new(self.settings.client_id.clone()))
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(back.to_owned())?);
        Ok(Some(request.http_get_url().into()))
    }

    fn client(&self, metadata: &ProviderMetadataWithLogout, redirect: &str) -> Result<Client, ProviderError> {
        let id = ClientId::new(self.settings.client_id.clone());
        let secret = self.secret.as_ref().map(|secret| ClientSecret::new(secret.text().to_owned()));
        let client = Client::from_provider_metadata(metadata.clone(), id, secret);
        let ways = metadata.token_endpoint_auth_methods_supported();
        let takes = |way| ways.is_none_or(|ways| ways.contains(&way));
        // By a header unless the provider takes it in the body only (RFC 6749, section 2.3.1).
        let way = if takes(CoreClientAuthMethod::ClientSecretBasic) {
            AuthType::BasicAuth
        } else {
            AuthType::RequestBody
        };
        Ok(client.set_auth_type(way).set_redirect_uri(RedirectUrl::new(redirect.to_owned())?))
    }

    fn metadata(&self, at: Timestamp) -> Result<Arc<ProviderMetadataWithLogout>, ProviderError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(known) if at.duration_since(known.at) < KNOWN_FOR => Ok(known.metadata),
            _ => self.ask(at),
        }
    }

    /// Asks the provider for its addresses and keys.
    fn ask(&self, at: Timestamp) -> Result<Arc<ProviderMetadataWithLogout>, ProviderError> {
        let metadata = Arc::new(ProviderMetadataWithLogout::discover(&self.issuer, &http::send)?);
        let known = Known { metadata: Arc::clone(&metadata), at };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(metadata)
    }
}
