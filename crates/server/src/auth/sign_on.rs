//! Routes: signing in by a provider of OpenID Connect, and linking an account to somebody there.
//!
//! A browser is sent to the provider by a link and not by a form: what a form leads to must be a page of ours,
//! by the policy in `headers`. It comes back with a code, and with the cookie of the attempt that it began.

use app::Store;
use app::access::{self, Device, Session};
use app::oidc::{Attempt, Identified, Provider, Purpose};
use axum::extract::State;
use axum::http::Uri;
use axum::http::header::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use types::access::User;
use view::site::link;

use super::fields::Fields;
use super::local_path::{local_path, login_path};
use super::login::{Sender, query, set_cookie, welcome};
use super::sign_on_page::{self, Failure};
use super::{AuthState, Posted, Problem, Refusal, Signed, cookie, origin, pages};

/// Leads on to the provider.
pub(super) async fn begin(
    State(state): State<AuthState>,
    headers: HeaderMap,
    from: Sender,
    signed: Result<Signed, Refusal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let query = query(&uri);
    let back = local_path(query.get("back"));
    must_have_provider(&state)?;
    if signed.is_ok() {
        return Ok(Redirect::to(back).into_response());
    }
    match crossing(&state, &headers, Purpose::SignIn, back, from.at).await {
        Ok((address, attempt)) => {
            let mut response = Redirect::to(&address).into_response();
            set_cookie(response.headers_mut(), cookie::keep_attempt(&attempt, state.settings.is_https));
            Ok(response)
        }
        Err(failure) => Ok(sign_on_page::refused(&state, &from, &failure, login_path(back))),
    }
}

/// Asks whether to go on to the provider, whose person is then let into the reader's account.
pub(super) async fn link(
    State(state): State<AuthState>,
    headers: HeaderMap,
    from: Sender,
    posted: Posted,
) -> Result<Response, Refusal> {
    must_have_provider(&state)?;
    let proof = Purpose::Link { proof: &posted.signed.csrf };
    match crossing(&state, &headers, proof, link::ACCOUNT, from.at).await {
        Ok((address, attempt)) => {
            let mut response = pages::show(sign_on_page::linking(&state, &posted.signed, address));
            set_cookie(response.headers_mut(), cookie::keep_attempt(&attempt, state.settings.is_https));
            Ok(response)
        }
        Err(failure) => Ok(sign_on_page::refused(&state, &from, &failure, link::ACCOUNT.into())),
    }
}

/// Where somebody whom a provider signed in has signed out: the provider may know them still.
pub(super) async fn signed_out(
    State(state): State<AuthState>,
    headers: HeaderMap,
    from: Sender,
) -> Result<Response, Refusal> {
    must_have_provider(&state)?;
    let (back, at) = (format!("{}{}", origin(&state, &headers), link::LOGIN), from.at);
    let page = state.ask_provider(move |provider, _| provider.sign_out(&back, at)).await;
    let page = page.map_err(|error| Problem::of(&error, at))?.transpose().unwrap_or_else(|error| {
        log::warn!("where to sign out of the provider is not known: {error}");
        None
    });
    Ok(pages::show(sign_on_page::signed_out(&state, &from, page.flatten())))
}

/// Ends an attempt, well or not.
pub(super) async fn finish(
    State(state): State<AuthState>,
    headers: HeaderMap,
    from: Sender,
    signed: Result<Signed, Refusal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    must_have_provider(&state)?;
    let signed = signed.ok();
    let sent = query(&uri);
    let text = cookie::attempt(&headers, state.settings.is_https);
    let proof = signed.as_ref().map(|signed| signed.csrf.as_str());
    let attempt = text.and_then(|text| Attempt::of_cookie(text, proof, from.at));
    let attempt = attempt.filter(|attempt| attempt.is_answered_by(sent.get("state")));
    let back = attempt.as_ref().map_or("/", |attempt| local_path(attempt.back())).to_owned();
    let finished = match attempt {
        Some(attempt) => {
            let account = signed.filter(|_| attempt.links()).and_then(|of| of.caller.account().cloned());
            let returned = Returned { attempt, account, redirect: redirect(&state, &headers), sent };
            completed(&state, returned, from.clone()).await
        }
        None => Err(Failure::Attempt),
    };
    let mut response = match finished {
        Ok(Some(session)) => welcome(&state, &session, &back),
        Ok(None) => Redirect::to(&back).into_response(),
        Err(failure) => sign_on_page::refused(&state, &from, &failure, login_path(&back)),
    };
    set_cookie(response.headers_mut(), cookie::forget_attempt(state.settings.is_https));
    Ok(response)
}

/// A browser that came back from the provider.
struct Returned {
    attempt: Attempt,
    /// The account that is to be linked.
    account: Option<User>,
    redirect: String,
    /// What the provider had it say.
    sent: Fields,
}

/// A new session; none where an account was linked.
async fn completed(state: &AuthState, returned: Returned, from: Sender) -> Result<Option<Session>, Failure> {
    let done = state.ask_provider(move |provider, store| complete(provider, store, &returned, &from)).await?;
    done.unwrap_or(Err(Failure::Attempt))
}

fn complete(
    provider: &Provider,
    store: &Store,
    returned: &Returned,
    from: &Sender,
) -> Result<Option<Session>, Failure> {
    let (settings, at) = (provider.settings(), from.at);
    access::count_sign_on(store, from.address, at)?;
    let who = match identified(provider, returned, at) {
        Ok(who) => who,
        Err(failure) => {
            match failure.why_refused() {
                Some(why) => access::refuse_sign_on(store, settings, &why, from.address, at)?,
                // It is not the person's fault.
                None => access::forgive_sign_on(store, from.address)?,
            }
            return Err(failure);
        }
    };
    if let Some(user) = &returned.account {
        access::link_own(store, settings, &who, user, from.address, at)?;
        return Ok(None);
    }
    let device = Device { address: from.address, browser: &from.browser };
    Ok(Some(access::sign_on(store, settings, &who, device, at)?))
}

fn identified(provider: &Provider, returned: &Returned, at: Timestamp) -> Result<Identified, Failure> {
    let sent = &returned.sent;
    match (sent.get("error"), sent.get("iss")) {
        ("", "") => {}
        // What another provider says is not for this one (RFC 9207).
        ("", issuer) if issuer == provider.settings().issuer => {}
        ("", _) => return Err(Failure::Attempt),
        (error, _) => return Err(Failure::Denied(error.to_owned())),
    }
    Ok(provider.identify(&returned.attempt, sent.get("code"), &returned.redirect, at)?)
}

/// The provider's address for a new attempt.
async fn crossing(
    state: &AuthState,
    headers: &HeaderMap,
    purpose: Purpose<'_>,
    back: &str,
    at: Timestamp,
) -> Result<(String, Attempt), Failure> {
    let attempt = Attempt::begin(purpose, back, at)?;
    let (begun, redirect) = (attempt.clone(), redirect(state, headers));
    let address = state.ask_provider(move |provider, _| provider.begin(&begun, &redirect, at)).await?;
    Ok((address.ok_or(Failure::Attempt)??, attempt))
}

/// Where the provider sends browsers back to.
fn redirect(state: &AuthState, headers: &HeaderMap) -> String {
    format!("{}{}", origin(state, headers), link::SIGNED_ON)
}

fn must_have_provider(state: &AuthState) -> Result<(), Problem> {
    let problem = || Problem::not_found("Nobody signs in by a provider here.");
    state.provider().map(|_| ()).ok_or_else(problem)
}
