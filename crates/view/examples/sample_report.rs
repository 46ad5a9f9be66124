//! Writes the sample reports, of a check and of monitoring over time, as HTML, Markdown and JUnit XML into the folder that
//! `FOREWARN_SAMPLE_REPORT` names, to be looked at while working on the page.

#[expect(dead_code, reason = "the tests and the other example use the rest of it")]
#[path = "../tests/view/sample/mod.rs"]
mod sample;

use std::{env, fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    let Some(folder) = env::var_os("FOREWARN_SAMPLE_REPORT").map(PathBuf::from) else {
        return Err(io::Error::other("set FOREWARN_SAMPLE_REPORT to a folder"));
    };
    let report = sample::report();
    fs::create_dir_all(&folder)?;
    let over_time = sample::over_time::monitor_report();
    fs::write(folder.join("monitoring.html"), view::monitoring::html(&over_time))?;
    fs::write(folder.join("monitoring.md"), view::monitoring::markdown(&over_time))?;
    let large = sample::over_time::sized(52, 73);
    fs::write(folder.join("monitoring-large.html"), view::monitoring::html(&large))?;
    fs::write(folder.join("report.html"), view::report::html(&report))?;
    fs::write(folder.join("numbers.html"), view::report::html(&sample::evaluation::of_numbers()))?;
    fs::write(folder.join("classes.html"), view::report::html(&sample::evaluation::of_classes()))?;
    fs::write(folder.join("report.md"), view::markdown::markdown(&report))?;
    fs::write(folder.join("report.xml"), view::junit::junit(&report))
}
