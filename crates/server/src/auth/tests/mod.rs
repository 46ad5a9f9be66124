//! The whole way over a real connection: a server on loopback with a database of its own.

mod api;
mod guards;
mod house;
mod pages;
