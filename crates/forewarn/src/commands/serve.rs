//! `forewarn serve`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use app::service::{Service, ServiceError};
use app::state;
use app::{CheckError, Database, StateError, StoreError};
use jiff::Timestamp;
use server::{Events, Listening, ServeError, Shared, Tls};
use types::format::counted;

use super::Status;
use super::check::impossible;
use crate::cli::ServeOptions;
use crate::terminal::{diagnostic, logger, output};

pub(crate) fn run(options: &ServeOptions) -> Status {
    match serve(options) {
        Ok(()) => Status::Fine,
        Err(Failure::Definition(error)) => impossible(&error),
        Err(Failure::Other(message)) => {
            output::error(&diagnostic::error(&message));
            Status::Impossible
        }
    }
}

enum Failure {
    Definition(CheckError),
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

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::Other(error.to_string())
    }
}

fn serve(options: &ServeOptions) -> Result<(), Failure> {
    if !options.listen.ip().is_loopback() {
        return Err(Failure::Other(format!(
            "{} can be reached from elsewhere, and this version has no accounts: listen on a loopback address, \
             such as 127.0.0.1:7615, behind a proxy that asks for a password",
            options.listen
        )));
    }
    logger::install();
    let tls = options.tls_certificate.clone().zip(options.tls_key.clone());
    let tls = tls.map(|(certificate, key)| Tls { certificate, key });
    let listening = Listening::on(options.listen, tls.as_ref())?;
    let database = database(options);
    let store = Arc::new(app::Store::open(&database)?);
    let service = Arc::new(Service::open(&options.path, store, Timestamp::now())?);
    let events = Events::default();
    output::print(&format!(
        "Serving {} at {}\nState     {database}\nStop with Ctrl-C.\n",
        counted(service.systems().count() as u64, "system", "systems"),
        listening.url()
    ));
    let scheduler = crate::schedule::start(&service, &events);
    let shared = Shared { service, events, program: app::PROGRAM };
    let stop = scheduler.stopper();
    server::serve(listening, shared, stop)?;
    scheduler.join();
    Ok(())
}

/// The database that is asked for, or one beside the definitions.
fn database(options: &ServeOptions) -> Database {
    options
        .state
        .database
        .clone()
        .unwrap_or_else(|| state::own_database(&app::definition_folder(&options.path)))
}
