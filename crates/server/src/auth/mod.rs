//! Who is behind a request: signing in and out, the first setup, tokens, and what protects pages from others.
//!
//! Handlers take [`Signed`] (a page: who has not signed in is sent to do so), [`Posted`] (a form of such a
//! page) or [`ApiCaller`] (the API: a session or a token), and ask `must` before they act. A request that
//! changes something with a session is let through only with the session's proof that it came from a page
//! of ours; [`protect`] refuses what comes from another site before that. What callers may do is decided in
//! `types::access`, how passwords and secrets are kept in `app::access`.

mod address;
mod api;
mod caller;
mod cookie;
mod cross_site;
mod fields;
mod headers;
mod local_path;
mod login;
mod pages;
mod settings;
mod sign_on;
mod sign_on_page;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use app::Store;
use app::access::{AccessError, Secret};
use app::oidc::Provider;
use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::http::StatusCode;
use axum::http::header::{HOST, HeaderMap};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use types::access::Caller;
use view::site::SystemRef;

use crate::problem::Problem;
pub(crate) use api::router as api_routes;
pub use caller::{ApiCaller, Posted, Refusal, Signed};
pub use fields::Fields;
pub(crate) use local_path::local_path;

/// Whether people sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    Accounts,
    /// Whoever reaches the server is an admin named `local`; on loopback only.
    Insecure,
}

/// How the server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthSettings {
    pub mode: AuthMode,
    /// Whether browsers come by HTTPS: to us, or to a proxy before us.
    pub is_https: bool,
    /// `https://forewarn.example.org`, where browsers see another address than the request's `Host`.
    pub origin: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
}

/// What authentication needs of the server. Cheap to clone.
#[derive(Clone)]
pub struct AuthState {
    store: Arc<Store>,
    settings: Arc<AuthSettings>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// How many passwords may be hashed at once: each takes a processor and memory for a while.
    hashing: Arc<Semaphore>,
    /// The systems that a user may be limited to.
    systems: Arc<[SystemRef]>,
    /// Proves that a form came from a page of ours where nobody signs in.
    process: Secret,
    login: Arc<Login>,
    /// How many alerts fire that a caller may see.
    alerts: Arc<dyn Fn(&Caller) -> u64 + Send + Sync>,
}

/// How people sign in.
struct Login {
    has_passwords: bool,
    provider: Option<Provider>,
    /// How many people may be at the provider's doors at once: each takes a thread for as long as it answers.
    asking: Semaphore,
}

/// How many requests wait for a provider at once.
const ASKING_MAX: usize = 8;

impl std::fmt::Debug for AuthState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthState").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl AuthState {
    /// # Errors
    /// The operating system gives no random numbers.
    pub fn new(
        store: Arc<Store>,
        settings: AuthSettings,
        systems: Vec<SystemRef>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, AccessError> {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            store,
            settings: Arc::new(settings),
            systems: systems.into(),
            clock: Arc::new(clock),
            hashing: Arc::new(Semaphore::new(processors)),
            process: Secret::random("")?,
            login: Arc::new(Login {
                has_passwords: true,
                provider: None,
                asking: Semaphore::new(ASKING_MAX),
            }),
            alerts: Arc::new(|_| 0),
        })
    }

    /// Lets people in by a provider, and by passwords or not.
    #[must_use]
    pub fn with_login(mut self, has_passwords: bool, provider: Option<Provider>) -> Self {
        self.login = Arc::new(Login { has_passwords, provider, asking: Semaphore::new(ASKING_MAX) });
        self
    }

    /// Says how many alerts fire that a caller may see.
    #[must_use]
    pub(crate) fn with_alerts(mut self, alerts: impl Fn(&Caller) -> u64 + Send + Sync + 'static) -> Self {
        self.alerts = Arc::new(alerts);
        self
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Works with the database on a thread that may wait.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, AccessError> + Send + 'static,
    ) -> Result<T, AccessError> {
        let store = Arc::clone(&self.store);
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(AccessError::Stopped),
        }
    }

    /// The provider, where people sign in by one.
    fn provider(&self) -> Option<&Provider> {
        self.login.provider.as_ref().filter(|_| self.settings.mode == AuthMode::Accounts)
    }

    /// What the provider is called.
    fn provider_name(&self) -> Option<&str> {
        self.provider().map(|provider| provider.settings().name.as_str())
    }

    /// As [`AuthState::ask`], for work that waits for the provider too. There is none where nothing is answered.
    async fn ask_provider<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Provider, &Store) -> T + Send + 'static,
    ) -> Result<Option<T>, AccessError> {
        let _turn = self.login.asking.acquire().await.map_err(|_| AccessError::Stopped)?;
        let state = self.clone();
        self.ask(move |store| Ok(state.provider().map(|provider| work(provider, store)))).await
    }

    /// As [`AuthState::ask`], for work that hashes a password.
    async fn ask_hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, AccessError> + Send + 'static,
    ) -> Result<T, AccessError> {
        let _turn = self.hashing.acquire().await.map_err(|_| AccessError::Stopped)?;
        self.ask(work).await
    }
}

/// An address at which the server must not be reached so.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "without accounts everybody who reaches {address} would be an admin: \
     leave --insecure-no-auth out, or listen on 127.0.0.1"
)]
pub struct BindingError {
    pub address: SocketAddr,
}

/// Whether the server may listen there. With accounts it may everywhere, also before the first: then only
/// the setup link lets anybody in.
///
/// # Errors
/// Without accounts, an address that others reach.
pub fn check_binding(address: SocketAddr, mode: AuthMode) -> Result<(), BindingError> {
    match mode {
        AuthMode::Insecure if !address.ip().to_canonical().is_loopback() => Err(BindingError { address }),
        AuthMode::Insecure | AuthMode::Accounts => Ok(()),
    }
}

/// Pages of accounts, tokens and the audit log.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    AuthState: FromRef<S>,
{
    Router::new()
        .route("/login", get(login::page).post(login::log_in))
        .route("/login/oidc", get(sign_on::begin))
        .route("/login/oidc/callback", get(sign_on::finish))
        .route("/login/signed-out", get(sign_on::signed_out))
        .route("/logout", post(login::log_out))
        .route("/setup", get(login::setup_page).post(login::set_up))
        .route("/settings", get(settings::account))
        .route("/settings/link", post(sign_on::link))
        .route("/settings/password", post(settings::change_password))
        .route("/settings/sessions/end", post(settings::end_sessions))
        .route("/settings/tokens", get(settings::tokens).post(settings::issue_token))
        .route("/settings/tokens/{id}/revoke", post(settings::revoke_token))
        .route("/settings/users", get(settings::users).post(settings::create_user))
        .route("/settings/users/{id}", get(settings::user).post(settings::change_user))
        .route("/settings/users/{id}/invite", post(settings::invite))
        .route("/settings/users/{id}/link", post(settings::link))
        .route("/settings/users/{id}/unlink", post(settings::unlink))
        .route("/settings/users/{id}/follow", post(settings::follow_groups))
}

/// A path that leads to the page where a password is chosen.
pub fn setup_path(code: &Secret) -> String {
    format!("/setup?code={}", code.text())
}

/// The same as an address that can be sent to somebody.
fn setup_link(state: &AuthState, headers: &HeaderMap, code: &Secret) -> String {
    format!("{}{}", origin(state, headers), setup_path(code))
}

/// Where browsers reach us: where the server was told, or else where this request came to.
fn origin(state: &AuthState, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scheme = if state.settings.is_https { "https" } else { "http" };
    state.settings.origin.clone().unwrap_or_else(|| format!("{scheme}://{host}"))
}

/// Puts every route behind what holds of all: no request from other sites, and headers that tell browsers
/// to load and frame nothing from elsewhere.
pub fn protect(router: Router, state: AuthState) -> Router {
    router.layer(middleware::from_fn_with_state(state, guard))
}

async fn guard(State(state): State<AuthState>, request: Request, next: Next) -> Response {
    let refused = cross_site::refusal(&state.settings, request.method(), request.headers());
    let mut response = match refused {
        Some(detail) => Problem::new(StatusCode::FORBIDDEN, detail).into_response(),
        None => next.run(request).await,
    };
    headers::secure(&state.settings, response.headers_mut());
    response
}
