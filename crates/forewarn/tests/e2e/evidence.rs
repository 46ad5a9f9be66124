//! The chain of evidence: what `verify` proves, and what a run does to a damaged file.

use std::process::Stdio;

use serde_json::Value;

use crate::fixture::{DEFINITION, Folder, Run, Table};

/// Evidence as it was exported.
const FILE: &str = "evidence.jsonl";
/// Where versions before the database kept it.
const EARLIER: &str = ".forewarn/evidence.jsonl";

/// A folder with the evidence of two checks, and the checkpoint after them.
fn recorded() -> (Folder, String) {
    let folder = Folder::small();
    folder.run(&["check"]).exits(0);
    let checkpoint = folder.report(0).text("checkpoint").to_owned();
    folder.write(FILE, folder.evidence());
    (folder, checkpoint)
}

fn lines(folder: &Folder) -> Vec<String> {
    folder.read(FILE).lines().map(str::to_owned).collect()
}

fn rewrite(folder: &Folder, lines: &[String]) {
    folder.write(FILE, lines.iter().map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn an_untouched_chain_is_verified_and_ends_at_the_checkpoint() {
    let (folder, checkpoint) = recorded();
    let records = lines(&folder).len();
    assert_eq!(checkpoint.split(':').next().unwrap(), records.to_string());
    let said = folder.run(&["verify"]).exits(0).stdout;
    assert!(said.contains(&checkpoint) && said.contains(&format!("{records} records")), "{said}");
    folder.run(&["verify", "--checkpoint", &checkpoint]).exits(0);
    folder.run(&["verify", "forewarn.toml"]).exits(0);
    // The chain grows; an earlier checkpoint still lies on it.
    folder.run(&["check"]).exits(0);
    folder.run(&["verify", "--checkpoint", &checkpoint]).exits(0);
}

#[test]
fn a_record_says_what_was_checked_by_what_under_what() {
    let (folder, _) = recorded();
    for (at, line) in lines(&folder).iter().enumerate() {
        let line: Value = serde_json::from_str(line).unwrap();
        let record = &line["record"];
        assert_eq!(record["seq"], at);
        assert_eq!(record["system"], "small");
        assert_eq!(record["program"], concat!("forewarn ", env!("CARGO_PKG_VERSION")));
        assert_eq!(record["datasets"][0]["name"], "predictions");
        let fresh: jiff::Timestamp = record["fresh_until"].as_str().unwrap().parse().unwrap();
        assert!(fresh > record["at"].as_str().unwrap().parse().unwrap());
        assert!(record["finding"]["verdict"].is_string());
    }
}

#[test]
fn an_edited_removed_or_moved_line_is_found_by_its_number() {
    let (folder, _) = recorded();
    let whole = lines(&folder);
    let broken = |lines: &[String], number: usize| {
        rewrite(&folder, lines);
        let said = folder.run(&["verify", FILE]).exits(1).stderr;
        assert!(said.contains(&format!("line {number} ")), "line {number} expected: {said}");
        said
    };
    let mut edited = whole.clone();
    edited[4] = edited[4].replacen("\"pass\"", "\"warn\"", 1);
    assert_ne!(edited[4], whole[4]);
    assert!(broken(&edited, 5).contains("edited"));
    let mut removed = whole.clone();
    removed.remove(6);
    assert!(broken(&removed, 7).contains("removed"));
    let mut first_removed = whole.clone();
    first_removed.remove(0);
    broken(&first_removed, 1);
    let mut moved = whole.clone();
    moved.swap(2, 3);
    assert!(broken(&moved, 3).contains("reordered"));
    let mut repeated = whole.clone();
    repeated.insert(3, whole[2].clone());
    broken(&repeated, 4);
    let mut nonsense = whole;
    nonsense[7] = "{}".into();
    broken(&nonsense, 8);
    // Nothing is built upon a broken chain, and nothing of it is overwritten.
    let before = folder.evidence();
    folder.run(&["evidence", "import", FILE]).refuses(&["evidence", "line 8"]);
    assert_eq!(folder.evidence(), before);
}

#[test]
fn an_edited_database_is_found_and_not_built_upon() {
    let (folder, _) = recorded();
    folder.sql("UPDATE evidence SET line = replace(line, '\"pass\"', '\"warn\"') WHERE seq = 4");
    let said = folder.run(&["verify"]).exits(1).stderr;
    assert!(said.contains("line 5 was edited"), "{said}");
    folder.run(&["check"]).refuses(&["evidence of `small` is broken", "line 5"]);
    folder.sql("DELETE FROM evidence WHERE seq = 4");
    assert!(folder.run(&["verify"]).exits(1).stderr.contains("removed"));
}

#[test]
fn evidence_of_an_earlier_version_is_taken_over() {
    let (folder, checkpoint) = recorded();
    let whole = folder.read(FILE);
    let earlier = Folder::small();
    earlier.write(EARLIER, &whole);
    earlier.run(&["verify", "--checkpoint", &checkpoint]).exits(0);
    assert!(!earlier.path(EARLIER).exists());
    assert_eq!(earlier.read(".forewarn/evidence.jsonl.imported"), whole);
    earlier.run(&["check"]).exits(0);
    assert!(earlier.evidence().starts_with(&whole), "byte for byte");
    // A broken file is refused and left as it is.
    let broken = Folder::small();
    broken.write(EARLIER, whole.replacen("\"pass\"", "\"warn\"", 1));
    broken.run(&["check"]).refuses(&["evidence", "edited"]);
    assert!(broken.path(EARLIER).exists());
}

#[test]
fn exported_evidence_goes_on_in_another_database() {
    let (folder, checkpoint) = recorded();
    let database = format!("sqlite:{}", folder.path("elsewhere/other.db").display());
    let other = ["--database", &database];
    let run = |arguments: &[&str]| folder.run(&[arguments, &other].concat());
    assert!(run(&["evidence", "import", FILE]).exits(0).stdout.contains(&checkpoint));
    assert!(run(&["evidence", "import", FILE]).exits(0).stdout.contains("0 records"));
    run(&["verify", "--checkpoint", &checkpoint]).exits(0);
    run(&["check"]).exits(0);
    assert!(run(&["evidence", "export"]).exits(0).stdout.starts_with(&folder.read(FILE)));
    assert_eq!(folder.evidence(), folder.read(FILE), "the folder's own state is as it was");
    folder.run(&["check", "--database", "mysql://me:secret@db/x"]).refuses(&["`mysql` is not a database"]);
}

#[test]
fn a_cut_tail_is_found_only_with_a_checkpoint() {
    let (folder, checkpoint) = recorded();
    let whole = lines(&folder);
    rewrite(&folder, &whole[..whole.len() - 3]);
    folder.run(&["verify", FILE]).exits(0);
    let said = folder.run(&["verify", FILE, "--checkpoint", &checkpoint]).exits(1).stderr;
    assert!(said.contains("cut") && said.contains(&whole.len().to_string()), "{said}");
    // Another history of the same length is not the one that the checkpoint was taken of.
    let other = Folder::with_log(&DEFINITION.replace("Small system", "Other system"), &Table::small_log());
    other.run(&["check"]).exits(0);
    other.run(&["check"]).exits(0);
    let said = other.run(&["verify", "--checkpoint", &checkpoint]).exits(1).stderr;
    assert!(said.contains("rewritten"), "{said}");
}

#[test]
fn without_evidence_there_is_nothing_to_verify() {
    let folder = Folder::small();
    folder.run(&["verify"]).refuses(&["no evidence", "forewarn check"]);
    folder.run(&["verify", "--checkpoint", "42"]).refuses(&["`42`", "COUNT:HASH"]);
}

#[test]
fn a_line_torn_by_a_crash_is_told_and_never_lost() {
    let (folder, checkpoint) = recorded();
    let whole = folder.read(FILE);
    let torn = &whole.lines().next().unwrap()[..100];
    folder.write(FILE, format!("{whole}{torn}"));
    let said = folder.run(&["verify", FILE, "--checkpoint", &checkpoint]).exits(0).stdout;
    assert!(said.contains("cut off"), "{said}");
    // A version before the database may have left such a line.
    let earlier = Folder::small();
    earlier.write(EARLIER, folder.read(FILE));
    earlier.run(&["verify", "--checkpoint", &checkpoint]).exits(0);
    assert!(earlier.read(".forewarn/evidence.jsonl.imported").ends_with(torn));
}

#[test]
fn checks_at_the_same_time_give_one_chain() {
    let folder = Folder::small();
    let start = || {
        let mut command = folder.command(&["check", "--format", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running = [start(), start(), start()];
    let mut records: Vec<usize> = running
        .map(|child| {
            let report = Run::of(child.wait_with_output().unwrap()).exits(0).report();
            report.text("checkpoint").split(':').next().unwrap().parse().unwrap()
        })
        .to_vec();
    records.sort_unstable();
    let each = records[0];
    assert_eq!(records, [each, 2 * each, 3 * each]);
    folder.run(&["verify"]).exits(0);
    assert_eq!(folder.evidence().lines().count(), 3 * each);
}

#[test]
fn evidence_of_another_model_version_does_not_open_the_gate() {
    let folder = Folder::small();
    folder.run(&["check"]).exits(0);
    folder.write("forewarn.toml", format!("[model]\nversion = \"2\"\n\n{DEFINITION}"));
    let report = folder.run(&["monitor", "--format", "json"]).exits(1).report();
    assert_eq!(report.need("evaluate.performance"), "missing");
    assert_eq!(report.need("monitor.quality"), "met");
}

#[test]
fn other_data_is_another_dataset_version() {
    let folder = Folder::small();
    let digest = |report: &crate::fixture::Report| report.0["datasets"][0]["digest"].clone();
    let first = folder.report(0);
    assert_eq!(digest(&first), digest(&folder.report(0)));
    let edited = Table::small_log().with("x", |row, x| if row == 9 { "9.999".into() } else { x.to_owned() });
    folder.write("log.csv", edited.csv());
    assert_ne!(digest(&first), digest(&folder.report(0)));
}
