//! `forewarn serve`.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use app::access::{self, AccessError};
use app::oidc::Provider;
use app::organisation::{self, OrganisationError, OrganisationFile};
use app::schedule::Worked;
use app::service::upkeep::{Upkeep, UpkeepOptions};
use app::service::{Service, ServiceError};
use app::state;
use app::{CheckError, Database, StateError, StoreError};
use jiff::Timestamp;
use server::auth::{self, AuthMode, AuthSettings, AuthState};
use server::{Events, HttpMetrics, Listening, ServeError, Shared, Tls, Traces, TracesError};
use types::format::counted;

use super::Status;
use super::check::impossible;
use crate::cli::ServeOptions;
use crate::terminal::{diagnostic, logger, output};

pub(crate) fn run(options: &ServeOptions) -> Status {
    match serve(options) {
        Ok(()) => Status::Fine,
        Err(Failure::Definition(error)) => impossible(&error),
        Err(Failure::Said(text)) => {
            output::error(&text);
            Status::Impossible
        }
        Err(Failure::Other(message)) => {
            output::error(&diagnostic::error(&message));
            Status::Impossible
        }
    }
}

enum Failure {
    Definition(CheckError),
    /// A diagnostic that is complete.
    Said(String),
    Other(String),
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Definition(error) => Self::Definition(*error),
            error => Self::Other(error.to_string()),
        }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<TracesError> for Failure {
    fn from(error: TracesError) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::Other(error.to_string())
    }
}

fn serve(options: &ServeOptions) -> Result<(), Failure> {
    let mode = if options.insecure_no_auth { AuthMode::Insecure } else { AuthMode::Accounts };
    auth::check_binding(options.listen, mode).map_err(|error| Failure::Other(error.to_string()))?;
    logger::install();
    let tls = options.tls_certificate.clone().zip(options.tls_key.clone());
    let tls = tls.map(|(certificate, key)| Tls { certificate, key });
    let traces = Traces::from_environment(app::PROGRAM)?;
    let listening = Listening::on(options.listen, tls.as_ref())?;
    let database = database(options);
    let store = Arc::new(app::Store::open(&database)?);
    let service = Arc::new(Service::open(&options.path, store.clone(), Timestamp::now())?);
    let events = Events::default();
    let settings = AuthSettings {
        mode,
        is_https: tls.is_some() || options.url.as_ref().is_some_and(|url| url.starts_with("https://")),
        origin: options.url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        proxies: options.proxy.clone(),
    };
    let organisation = organisation(options)?;
    let login = &organisation.organisation.login;
    let cannot = |error: AccessError| Failure::Other(error.to_string());
    let auth = AuthState::new(store.clone(), settings, service.names(), Timestamp::now)
        .map_err(cannot)?
        .with_login(login.local, provider(&organisation)?);
    let setup = match mode {
        AuthMode::Accounts if login.local => {
            let issuer = login.oidc.as_ref().map(|oidc| oidc.issuer.as_str());
            access::setup_code(&store, issuer, Timestamp::now()).map_err(cannot)?
        }
        AuthMode::Accounts | AuthMode::Insecure => None,
    };
    let url = options.url.clone().unwrap_or_else(|| listening.url());
    let served = counted(service.systems().count() as u64, "system", "systems");
    let mut text = format!("Serving {served} at {url}\nState     {database}\n");
    if let Some(code) = &setup {
        let link = format!("{}{}", url.trim_end_matches('/'), auth::setup_path(code));
        text.push_str(&format!("Set up    {link}\n          makes the first account; it works once\n"));
    }
    if mode == AuthMode::Insecure {
        text.push_str("Accounts  none: whoever reaches this machine's loopback is an admin\n");
    }
    output::print(&(text + "Stop with Ctrl-C.\n"));
    let upkeep = Upkeep::start(
        &service,
        UpkeepOptions {
            worker: worker(),
            address: Some(url),
            organisation: organisation.clone(),
            clock: Arc::new(Timestamp::now),
            changed: {
                let events = events.clone();
                Arc::new(move |topics: &[&str]| events.changed(topics))
            },
            worked: {
                let traces = traces.clone();
                Arc::new(move |worked: &Worked| traces.iter().for_each(|traces| traces.worked(worked)))
            },
        },
    )
    .map_err(|error| Failure::Other(format!("failed to start the schedule: {error}")))?;
    let shared = Shared {
        service,
        scheduler: upkeep.scheduler().clone(),
        events,
        organisation: Arc::new(organisation),
        auth,
        look: Arc::new(upkeep.look()),
        program: app::PROGRAM,
        http_metrics: HttpMetrics::default(),
        traces: traces.clone(),
    };
    let served = server::serve(listening, shared);
    upkeep.stop();
    traces.iter().for_each(Traces::stop);
    Ok(served?)
}

/// The channels that alerts go to and how people sign in; nothing of it where there is no organisation.toml.
fn organisation(options: &ServeOptions) -> Result<OrganisationFile, Failure> {
    let folder = app::definition_folder(&options.path);
    let found = match &options.organisation {
        Some(path) => organisation::read(path),
        None => match organisation::find(&folder) {
            Err(OrganisationError::NotFound { .. }) => Ok(OrganisationFile::none(&folder)),
            found => found,
        },
    };
    found.map_err(|error| match &error {
        OrganisationError::Mistake { path, text, error } => {
            Failure::Said(diagnostic::definition_error(path, text, error))
        }
        error => Failure::Other(error.to_string()),
    })
}

/// Who signs people in besides us.
fn provider(file: &OrganisationFile) -> Result<Option<Provider>, Failure> {
    let settings = file.organisation.login.oidc.clone();
    let provider = settings.map(|settings| Provider::new(settings, file.folder())).transpose();
    provider.map_err(|error| Failure::Other(format!("{}: {error}", file.path.display())))
}

/// A name that differs from server to server, also of containers that have the same host name and number.
fn worker() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "server" } else { host.trim() };
    let by_chance = RandomState::new().build_hasher().finish() as u32;
    format!("{host}:{}:{by_chance:08x}", std::process::id())
}

/// The database that is asked for, or one beside the definitions.
fn database(options: &ServeOptions) -> Database {
    options
        .state
        .database
        .clone()
        .unwrap_or_else(|| state::own_database(&app::definition_folder(&options.path)))
}
