//! The HTTP server.

pub mod auth;
