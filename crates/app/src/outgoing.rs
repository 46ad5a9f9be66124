//! The client of every request that the program itself makes over HTTP: webhooks, another server, a provider of
//! single sign-on, a collector of traces.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

/// Bounded in time from the first packet to the last byte, follows no redirect, and takes every status for an
/// answer. The machine's own store says whose certificates are good.
pub fn agent(within: Duration) -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .user_agent(concat!("forewarn/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(within))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .new_agent()
}
