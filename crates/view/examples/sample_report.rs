//! Writes the sample report as HTML, Markdown and JUnit XML into the folder that
//! `FOREWARN_SAMPLE_REPORT` names, to be looked at while working on the page.

#[path = "../tests/view/sample/mod.rs"]
mod sample;

use std::{env, fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    let Some(folder) = env::var_os("FOREWARN_SAMPLE_REPORT").map(PathBuf::from) else {
        return Err(io::Error::other("set FOREWARN_SAMPLE_REPORT to a folder"));
    };
    let report = sample::report();
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("report.html"), view::report::html(&report))?;
    fs::write(folder.join("report.md"), view::markdown::markdown(&report))?;
    fs::write(folder.join("report.xml"), view::junit::junit(&report))
}
