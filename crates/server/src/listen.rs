//! Listening: the address, TLS, and a shutdown that lets requests finish.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio::runtime::Runtime;

use crate::patience::HEAD_WITHIN;
use crate::{Shared, router};

/// How long requests may take to finish once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// A certificate and its key, in PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("failed to listen on {address}: {source}; --listen takes another address")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("failed to use the certificate `{certificate}` with the key `{key}`: {source}")]
    Tls { certificate: PathBuf, key: PathBuf, source: std::io::Error },
    #[error("failed to start: {0}")]
    Runtime(std::io::Error),
    #[error("stopped serving: {0}")]
    Serving(std::io::Error),
}

/// A server that is about to answer.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    runtime: Runtime,
    tls: Option<RustlsConfig>,
}

impl Listening {
    /// Takes the address and reads the certificate.
    ///
    /// # Errors
    /// The address is taken, or the certificate cannot be used.
    pub fn on(address: SocketAddr, tls: Option<&Tls>) -> Result<Self, ServeError> {
        let listener = TcpListener::bind(address).map_err(|source| ServeError::Bind { address, source })?;
        listener.set_nonblocking(true).map_err(|source| ServeError::Bind { address, source })?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("forewarn-http")
            .enable_all()
            .build()
            .map_err(ServeError::Runtime)?;
        let tls = match tls {
            None => None,
            Some(Tls { certificate, key }) => {
                // Fails only where one is installed already, which is then as good.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let config = runtime.block_on(RustlsConfig::from_pem_file(certificate, key));
                Some(config.map_err(|source| ServeError::Tls {
                    certificate: certificate.clone(),
                    key: key.clone(),
                    source,
                })?)
            }
        };
        Ok(Self { listener, runtime, tls })
    }

    /// Where it listens; the port is chosen by the system where 0 was asked for.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        match self.listener.local_addr() {
            Ok(address) => format!("{scheme}://{address}"),
            Err(_) => scheme.to_owned(),
        }
    }
}

/// Answers requests until the process is told to stop, and lets those under way finish.
///
/// # Errors
/// The listener fails.
pub fn serve(listening: Listening, shared: Shared) -> Result<(), ServeError> {
    let Listening { listener, runtime, tls } = listening;
    let service = router(shared).into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::new();
    runtime.block_on(async {
        let stop = handle.clone();
        tokio::spawn(async move {
            told_to_stop().await;
            stop.graceful_shutdown(Some(GRACE));
        });
        let served = if let Some(tls) = tls {
            let mut server = axum_server::from_tcp_rustls(listener, tls).map_err(ServeError::Runtime)?;
            server.http_builder().http1().header_read_timeout(HEAD_WITHIN);
            server.handle(handle).serve(service).await
        } else {
            let mut server = axum_server::from_tcp(listener).map_err(ServeError::Runtime)?;
            server.http_builder().http1().header_read_timeout(HEAD_WITHIN);
            server.handle(handle).serve(service).await
        };
        served.map_err(ServeError::Serving)
    })
}

/// Ctrl-C, or what a service manager sends.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
