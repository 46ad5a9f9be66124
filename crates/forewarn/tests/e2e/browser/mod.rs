//! The site as people use it: a real Chromium in front of the real server.
//!
//! [`driver`] is the browser. Each other module has the journeys of one purpose; what a page says is tested
//! in `view`, what a request does in `server`.

mod accessibility;
mod acting;
mod crawl;
mod driver;
mod entering;
mod following;
mod reading;
mod tables;
mod without_scripts;

use std::path::Path;

use self::driver::{Browser, Wishes};
use crate::fixture::{DEFINITION, Folder, Table};
use crate::serve::Server;

const PASSWORD: &str = "four small boats";
const EMAIL: &str = "ada@example.org";

/// The small log, in whose last week every second `amount` is missing: a finding fails, and an alert fires.
fn drifted() -> Folder {
    Folder::with_log(DEFINITION, &Table::small_log().with_in_window("amount", 2, ""))
}

/// Somebody who reads the pages of a server.
#[derive(Debug)]
struct Visit {
    browser: Browser,
    server: Server,
    folder: Folder,
}

impl Visit {
    /// Of a server where nobody signs in, which has caught up and has an alert.
    fn open(wishes: Wishes) -> Option<Self> {
        let browser = Browser::open(wishes)?;
        let folder = drifted();
        let server = Server::open(&folder);
        server.caught_up();
        server.until("/alerts.json", |answer| answer.json()[0].is_object());
        Some(Self { browser, server, folder })
    }

    /// Of a server with accounts that has none yet.
    fn before_setup(wishes: Wishes) -> Option<Self> {
        let browser = Browser::open(wishes)?;
        let folder = drifted();
        let server = Server::start(&folder, &[]);
        Some(Self { browser, server, folder })
    }

    fn go(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.server.url));
    }

    /// Where the reader is.
    fn path(&self) -> String {
        let url = self.browser.url();
        url.strip_prefix(&self.server.url).expect("the reader stays on the site").to_owned()
    }

    /// Waits until the reader is where a link or a form leads; a page may take its time.
    #[track_caller]
    fn is_at(&self, path: &str) {
        self.browser.until(&format!("the reader is at {path}"), |_| self.path() == path);
    }

    fn setup_link(&self) -> String {
        let link = self.server.said.lines().find_map(|line| line.strip_prefix("Set up    "));
        link.expect("a server without accounts prints a link").to_owned()
    }

    /// Makes the first account by the link that the server printed.
    fn set_up(&self) {
        self.browser.go(&self.setup_link());
        self.browser.fill("#name", "Ada Byron");
        self.browser.fill("#email", EMAIL);
        self.browser.fill("#password", PASSWORD);
        self.browser.click("form[action='/setup'] button");
        // Whoever made the account is in.
        self.is_at("/");
    }

    fn sign_in(&self, password: &str) {
        self.browser.fill("#email", EMAIL);
        self.browser.fill("#password", password);
        self.browser.click("form[action='/login'] button");
    }

    /// Loads a page anew until it has a part: what a form began is done by a thread of the server.
    fn until_shown(&self, path: &str, css: &str) {
        self.browser.until(&format!("{path} has {css}"), |browser| {
            self.go(path);
            browser.has(css)
        });
    }

    /// The page of the alert that fires.
    fn alert(&self) -> String {
        self.go("/alerts");
        self.browser.click(".issue h3 a");
        self.browser.until("the alert opens", |_| self.path() != "/alerts");
        self.path()
    }
}

/// The text of a file.
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
