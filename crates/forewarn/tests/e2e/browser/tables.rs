//! Tables taken along: downloads and the clipboard, compared with what the page shows.

use std::path::Path;

use serde_json::Value;

use super::driver::{Browser, Wishes};
use super::{Visit, read};
use crate::parts;

/// The table of the page, a row a list of its cells as they are read.
fn shown(browser: &Browser) -> Vec<Vec<String>> {
    let rows = browser.script(
        "return [...document.querySelectorAll('table.data tbody tr')].map(row => \
         [...row.children].map(cell => cell.innerText.trim()))",
    );
    serde_json::from_value(rows).unwrap()
}

/// What Python's reader of CSV finds: a list of objects.
fn parsed(csv: &str) -> Value {
    let script =
        "import csv, json, sys; print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline='')))))";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    std::fs::write(&path, csv).unwrap();
    let mut python = std::process::Command::new("python3");
    let said = parts::output(python.args(["-c", script]).arg(Path::new(&path))).unwrap();
    serde_json::from_str(&said).unwrap()
}

#[test]
fn a_download_has_the_rows_that_the_page_shows() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    let browser = &visit.browser;
    visit.go("/evidence");
    let shown = shown(browser);
    assert!(shown.len() > 10, "{shown:?}");
    browser.click("a[download][href*='evidence.csv']");
    let csv = parsed(&browser.downloaded("evidence.csv"));
    browser.click("a[download][href*='evidence.json']");
    let json: Value = serde_json::from_str(&browser.downloaded("evidence.json")).unwrap();
    let (csv, json) = (csv.as_array().unwrap(), json.as_array().unwrap());
    assert_eq!((csv.len(), json.len()), (shown.len(), shown.len()));
    for ((shown, csv), json) in shown.iter().zip(csv).zip(json) {
        let [record, recorded, system, check, about, _, verdict, ..] = shown.as_slice() else { panic!() };
        for of in [csv, json] {
            let text = |key: &str| of[key].as_str().unwrap();
            let said = (text("seq"), text("system"), text("check"), text("subject"), text("verdict"));
            assert_eq!(
                said,
                (record.as_str(), system.as_str(), check.as_str(), about.as_str(), verdict.as_str())
            );
            assert_eq!(text("at")[..16].replace('T', " "), recorded[..16], "to the minute, in UTC");
        }
        let value = json["value"].as_f64();
        assert_eq!(csv["value"].as_str().unwrap().parse::<f64>().ok(), value, "the same number in both");
    }
}

#[test]
fn the_whole_chain_is_downloaded_and_holds() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    visit.go("/evidence?system=small");
    let checkpoint = visit.browser.text(".chain code.digest");
    visit.browser.click("a[download][href^='/evidence/export.jsonl']");
    let name = "export.jsonl";
    visit.folder.write(name, visit.browser.downloaded(name));
    assert_eq!(read(&visit.folder.path(name)), visit.folder.evidence());
    visit.folder.run(&["verify", name, "--checkpoint", &checkpoint]).exits(0);
}

#[test]
fn a_table_is_copied_as_markdown() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    let browser = &visit.browser;
    visit.go("/evidence");
    let shown = shown(browser);
    browser.allow_reading_the_clipboard();
    browser.click("a[data-copy]");
    browser.until("it says that it copied", |browser| browser.has(".toast"));
    assert_eq!(browser.text(".toast"), "Copied as Markdown");
    let copied = browser.script_later("navigator.clipboard.readText().then(arguments[0], arguments[0])");
    let copied = copied.as_str().unwrap();
    let lines: Vec<&str> = copied.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(lines.len(), shown.len() + 2, "a line a row, below titles and rule:\n{copied}");
    for (line, row) in lines[2..].iter().zip(&shown) {
        let (check, verdict) = (&row[3], &row[6]);
        assert!(line.contains(check) && line.contains(verdict), "no {check} or {verdict} in {line}");
    }
}
