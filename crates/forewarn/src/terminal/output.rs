//! Writing to standard output and standard error.
//!
//! A reader that goes away (`forewarn check | head`) is no error.

use std::io::Write;

pub(crate) fn print(text: &str) {
    let mut out = anstream::stdout().lock();
    // There is nobody left to tell when this fails.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

pub(crate) fn error(text: &str) {
    let mut err = anstream::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}
