//! A folder that the program runs in, and a small log with known properties.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::{Timestamp, ToSpan};
use serde_json::Value;
use tempfile::TempDir;

/// The reference of the small log: four weeks.
pub(crate) const REFERENCE_ROWS: usize = 28 * ROWS_A_DAY;
/// The week after them, the one that is checked by default.
pub(crate) const WINDOW_ROWS: usize = 7 * ROWS_A_DAY;
const ROWS_A_DAY: usize = 96;

/// What most tests run under; some replace a part of it.
pub(crate) const DEFINITION: &str = r#"[system]
id = "small"
name = "Small system"

[log]
path = "log.csv"
id = "id"
time = "at"
score = "score"
outcome = { column = "label" }
segments = ["region"]

[reference]
window = "2024-01-01/2024-01-29"

[[source]]
name = "crm"
features = ["x", "amount"]

[gate.deploy]
needs = ["evaluate.*", "monitor.quality"]
"#;

/// [`DEFINITION`] with one part replaced, which must be there.
pub(crate) fn definition_with(part: &str, replacement: &str) -> String {
    assert!(DEFINITION.contains(part), "the definition has no {part:?}");
    DEFINITION.replace(part, replacement)
}

/// Rows of text cells, written as CSV.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|&column| column.to_owned()).collect(), rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, cells: &[&str]) {
        assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells.iter().map(|&cell| cell.to_owned()).collect());
    }

    /// A prediction every quarter of an hour over five weeks from Monday, 2024-01-01. Nothing
    /// drifts, and the label is 1 with the probability that the score says.
    pub(crate) fn small_log() -> Self {
        let mut table = Self::new(&["id", "at", "x", "amount", "colour", "region", "score", "label"]);
        let mut draw = Draws(7);
        for row in 0..REFERENCE_ROWS + WINDOW_ROWS {
            // The sum of twelve uniform numbers less six is near enough to a standard normal.
            let normal: f64 = (0..12).map(|_| draw.uniform()).sum::<f64>() - 6.0;
            let score = (500.0 + 9000.0 * draw.uniform()).round() / 10_000.0;
            table.push(&[
                &format!("p{row}"),
                &quarter_hour(row).to_string(),
                &format!("{:.3}", 10.0 + 2.0 * normal),
                &format!("{:.2}", 100.0 * draw.uniform() * draw.uniform()),
                draw.one_of(&["red", "green", "blue"]),
                draw.one_of(&["north", "south", "east"]),
                &score.to_string(),
                if draw.uniform() < score { "1" } else { "0" },
            ]);
        }
        table
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn cell(&self, row: usize, column: &str) -> &str {
        &self.rows[row][self.position(column)]
    }

    fn position(&self, column: &str) -> usize {
        self.columns.iter().position(|name| name == column).unwrap()
    }

    /// With other cells in a column; the function gets the row's number and its cell.
    pub(crate) fn with(mut self, column: &str, cell: impl Fn(usize, &str) -> String) -> Self {
        let at = self.position(column);
        for (number, row) in self.rows.iter_mut().enumerate() {
            row[at] = cell(number, &row[at]);
        }
        self
    }

    /// With another cell in every `nth` row of the current window.
    pub(crate) fn with_in_window(self, column: &str, nth: usize, cell: &str) -> Self {
        self.with(column, |row, old| {
            let hit = row >= REFERENCE_ROWS && (row - REFERENCE_ROWS).is_multiple_of(nth);
            if hit { cell.to_owned() } else { old.to_owned() }
        })
    }

    pub(crate) fn renamed(mut self, column: &str, name: &str) -> Self {
        let at = self.position(column);
        name.clone_into(&mut self.columns[at]);
        self
    }

    /// The columns of these names, in this order.
    pub(crate) fn select(&self, columns: &[&str]) -> Self {
        let at: Vec<usize> = columns.iter().map(|column| self.position(column)).collect();
        let row = |row: &Vec<String>| at.iter().map(|&at| row[at].clone()).collect();
        Self { rows: self.rows.iter().map(row).collect(), ..Self::new(columns) }
    }

    pub(crate) fn rows(&self, keep: impl Fn(usize) -> bool) -> Self {
        let rows = self.rows.iter().enumerate().filter(|(number, _)| keep(*number));
        Self { columns: self.columns.clone(), rows: rows.map(|(_, row)| row.clone()).collect() }
    }

    pub(crate) fn csv(&self) -> String {
        std::iter::once(&self.columns).chain(&self.rows).map(|cells| csv_line(cells)).collect()
    }
}

fn csv_line(cells: &[String]) -> String {
    let quoted = |cell: &String| {
        if cell.contains(['"', ',', '\n']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

/// The time of a row of the small log.
pub(crate) fn quarter_hour(row: usize) -> Timestamp {
    let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    start + (15 * i64::try_from(row).unwrap()).minutes()
}

/// SplitMix64 (Steele, Lea & Flood 2014): the same numbers everywhere, without a dependency.
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[(self.uniform() * choices.len() as f64) as usize]
    }
}

/// A folder that the program runs in; it is gone with the value.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The small log, described by [`DEFINITION`].
    pub(crate) fn small() -> Self {
        Self::with_log(DEFINITION, &Table::small_log())
    }

    pub(crate) fn with_log(definition: &str, log: &Table) -> Self {
        let folder = Self::empty();
        folder.write("forewarn.toml", definition);
        folder.write("log.csv", log.csv());
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// All evidence of the folder, a record a line.
    pub(crate) fn evidence(&self) -> String {
        self.run(&["evidence", "export"]).exits(0).stdout
    }

    /// Changes the folder's database past the program, as a meddler would.
    pub(crate) fn sql(&self, statement: &str) {
        let script = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as db: db.execute(sys.argv[2])";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(self.path(".forewarn/state.db")).arg(statement);
        let output = python.output().expect("python3 is on PATH; its sqlite3 edits the database");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs the program in this folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forewarn"));
        command.args(arguments).current_dir(&self.folder);
        // What a developer's terminal asks for must not change what is printed.
        for variable in ["FOREWARN_DATABASE", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(variable);
        }
        command
    }

    /// `forewarn check --format json`, which must come to the given exit status.
    pub(crate) fn report(&self, status: i32) -> Report {
        self.run(&["check", "--format", "json"]).exits(status).report()
    }
}

/// How the program ended.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: i32,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        let run = Self {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            status: output.status.code().expect("the program was killed by a signal"),
        };
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        run
    }

    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stderr: {}\nstdout: {}", self.stderr, self.stdout);
        self
    }

    /// The program could not do it: exit status 2, nothing on standard output, and a message that
    /// holds all of `parts`.
    #[track_caller]
    pub(crate) fn refuses(self, parts: &[&str]) -> Self {
        let run = self.exits(2);
        assert_eq!(run.stdout, "", "what could not be done prints no result");
        for part in parts {
            assert!(run.stderr.contains(part), "no {part:?} in:\n{}", run.stderr);
        }
        run
    }

    pub(crate) fn report(&self) -> Report {
        Report(serde_json::from_str(&self.stdout).unwrap())
    }
}

/// The JSON that `--format json` prints.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report(pub(crate) Value);

impl Report {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap()
    }

    pub(crate) fn findings(&self, check: &str) -> Vec<&Value> {
        let findings = self.0["findings"].as_array().unwrap();
        findings.iter().filter(|finding| finding["check"] == check).collect()
    }

    /// The only finding of a check.
    #[track_caller]
    pub(crate) fn finding(&self, check: &str) -> &Value {
        let findings = self.findings(check);
        assert_eq!(findings.len(), 1, "{check} has {} findings", findings.len());
        findings[0]
    }

    /// The finding of a check about a feature or about the score.
    #[track_caller]
    pub(crate) fn about(&self, check: &str, name: &str) -> &Value {
        let findings = self.findings(check);
        let found = findings.iter().find(|finding| finding["subject"]["name"] == name);
        found.unwrap_or_else(|| panic!("no {check} about {name} in {findings:#?}"))
    }

    /// The names of the checks that findings were made for, each once.
    pub(crate) fn checks(&self) -> Vec<&str> {
        let findings = self.0["findings"].as_array().unwrap();
        let mut checks: Vec<&str> =
            findings.iter().map(|finding| finding["check"].as_str().unwrap()).collect();
        checks.sort_unstable();
        checks.dedup();
        checks
    }

    /// The state of what the gate `deploy` needs, `met` or what else it is.
    pub(crate) fn need(&self, check: &str) -> &str {
        let needs = self.0["gates"][0]["needs"].as_array().unwrap();
        needs.iter().find(|need| need["check"] == check).unwrap()["state"].as_str().unwrap()
    }

    /// Everything but what names the run: its time and its place in the chain.
    pub(crate) fn without_run(mut self) -> Self {
        let report = self.0.as_object_mut().unwrap();
        for key in ["at", "as_of", "checkpoint"] {
            assert!(report.remove(key).is_some(), "the report has no {key}");
        }
        self
    }
}

/// A measure's value in a finding.
#[track_caller]
pub(crate) fn measure(finding: &Value, name: &str) -> f64 {
    let measures = finding["measures"].as_array().unwrap();
    let measure = measures.iter().find(|measure| measure["name"] == name);
    let measure = measure.unwrap_or_else(|| panic!("no measure {name} in {finding:#}"));
    measure["value"].as_f64().unwrap()
}

pub(crate) fn summary(finding: &Value) -> &str {
    finding["summary"].as_str().unwrap()
}

/// Checks that a finding has a verdict and that its sentence holds all of `parts`.
#[track_caller]
pub(crate) fn says(finding: &Value, verdict: &str, parts: &[&str]) {
    assert_eq!(finding["verdict"], verdict, "{}", summary(finding));
    for part in parts {
        assert!(summary(finding).contains(part), "no {part:?} in {:?}", summary(finding));
    }
}

/// A folder of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
