//! Programs that tests need beside Rust: a database, a receiver of alerts, a browser, a clock that can be set.
//!
//! Where they are missing and can be installed (Debian, as root), they are; elsewhere the tests that need them
//! say loudly that they are skipped, and with `CI=true` they fail.

use std::path::Path;
use std::process::Command;

/// A Debian package, and a file that shows that it is installed.
const PACKAGES: &[(&str, &str)] = &[
    ("chromium", "/usr/bin/chromium"),
    ("chromium-driver", "/usr/bin/chromedriver"),
    ("faketime", "/usr/bin/faketime"),
    ("postgresql", "/usr/lib/postgresql"),
    ("prometheus", "/usr/bin/promtool"),
    ("prometheus-alertmanager", "/usr/bin/prometheus-alertmanager"),
    ("python3-venv", "/usr/share/doc/python3-venv"),
];

/// What is missing still, after installing what can be.
pub(crate) fn missing() -> Vec<&'static str> {
    let absent = || -> Vec<&'static str> {
        let is_absent = |(_, file): &&(&str, &str)| !Path::new(file).exists();
        PACKAGES.iter().filter(is_absent).map(|(package, _)| *package).collect()
    };
    let wanted = absent();
    if wanted.is_empty() || !can_install() {
        return wanted;
    }
    println!("ci: installing {}", wanted.join(", "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        command.status().is_ok_and(|status| status.success())
    };
    // A list that is out of date is updated; without one, nothing is found.
    let install = [&["install", "--yes", "--no-install-recommends"], wanted.as_slice()].concat();
    if !apt(&install) && apt(&["update"]) {
        apt(&install);
    }
    absent()
}

fn can_install() -> bool {
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0);
    is_root && Path::new("/usr/bin/apt-get").exists()
}
