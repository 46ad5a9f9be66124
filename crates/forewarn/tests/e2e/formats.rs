//! What is printed and written, in every format.

use serde_json::Value;

use crate::fixture::{Folder, Run, Table, definition_with};

/// A folder whose check has something of everything: a failing gate, drift, a warning, an unknown.
fn eventful() -> Folder {
    let limits = "[evaluate]\nperformance = { metric = \"roc_auc\", at_least = 0.99 }\n\n[gate";
    let log = Table::small_log()
        .with("x", |_, _| String::new())
        .with_in_window("amount", 2, "400.5")
        .with_in_window("colour", 4, "violet")
        .with_in_window("id", 40, "p3000");
    Folder::with_log(&definition_with("[gate", limits), &log)
}

#[test]
fn json_has_a_version_the_gates_and_the_findings() {
    let report = eventful().report(1);
    assert_eq!(report.0["format"], 1);
    assert_eq!(report.text("program"), concat!("forewarn ", env!("CARGO_PKG_VERSION")));
    assert_eq!(report.0["system"]["id"], "small");
    assert_eq!(report.0["gates"][0]["gate"], "deploy");
    assert_eq!(report.0["gates"][0]["open"], false);
    assert!(report.0["datasets"][0]["digest"].as_str().unwrap().len() == 64);
    for finding in report.0["findings"].as_array().unwrap() {
        for key in ["check", "subject", "verdict", "window", "summary"] {
            assert!(!finding[key].is_null(), "no {key} in {finding:#}");
        }
    }
}

#[test]
fn junit_is_xml_with_a_suite_for_every_check_and_its_failures_counted() {
    let folder = eventful();
    let junit = folder.run(&["check", "--format", "junit"]).exits(1).stdout;
    check_balanced(&junit);
    for check in ["monitor.drift", "monitor.quality", "evaluate.performance", "evaluate.worst_segment"] {
        assert!(junit.contains(&format!("<testsuite name=\"{check}\"")), "no suite {check}");
    }
    let report = folder.report(1);
    let verdicts = |verdict: &str| {
        let findings = report.0["findings"].as_array().unwrap();
        findings.iter().filter(|finding| finding["verdict"] == verdict).count()
    };
    // What is not known never counts as a pass.
    let failures = verdicts("fail") + verdicts("unknown");
    assert!(verdicts("fail") > 0 && verdicts("unknown") > 0);
    assert_eq!(junit.matches("<failure type=\"fail\"").count(), verdicts("fail"));
    assert_eq!(junit.matches("<failure type=\"unknown\"").count(), verdicts("unknown"));
    let tests = report.0["findings"].as_array().unwrap().len();
    assert_eq!(junit.matches("<testcase ").count(), tests);
    assert!(junit.contains(&format!("tests=\"{tests}\" failures=\"{failures}\"")));
}

/// Every tag that is opened is closed, in the right order, and no `<` or `&` stands for itself.
fn check_balanced(xml: &str) {
    let mut open = Vec::new();
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    for (at, _) in body.match_indices('<') {
        let tag = &body[at + 1..at + body[at..].find('>').unwrap()];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    for (at, _) in body.match_indices('&') {
        let name = body[at + 1..].split(';').next().unwrap();
        assert!(["lt", "gt", "amp", "quot", "apos"].contains(&name) || name.starts_with('#'), "&{name}");
    }
}

#[test]
fn markdown_has_a_heading_the_gate_and_tables_of_equal_columns() {
    let markdown = eventful().run(&["check", "--format", "markdown"]).exits(1).stdout;
    assert!(markdown.starts_with("## Forewarn: Small system\n"));
    assert!(markdown.contains("**Gate `deploy` is shut**"));
    let lines: Vec<&str> = markdown.lines().collect();
    let blocks = lines.split(|line| !line.starts_with('|'));
    let tables: Vec<&[&str]> = blocks.filter(|table| !table.is_empty()).collect();
    assert!(tables.concat().len() > 10);
    let bars = |row: &str| row.replace("\\|", "").matches('|').count();
    for table in tables {
        assert!(table.iter().all(|row| bars(row) == bars(table[0])), "{table:#?}");
    }
}

#[test]
fn text_that_is_not_for_a_terminal_is_narrow_and_plain() {
    let folder = eventful();
    let plain = folder.run(&["check"]).exits(1).stdout;
    assert!(!plain.contains('\u{1b}'));
    check_width(&plain);
    check_width(&Folder::small().run(&["check", "--html", "report.html"]).exits(0).stdout);
    let gateless = crate::fixture::DEFINITION.split("[gate.deploy]").next().unwrap();
    check_width(&Folder::with_log(gateless, &Table::small_log()).run(&["check"]).exits(0).stdout);
    let coloured = folder.run(&["check", "--color", "always"]).exits(1).stdout;
    assert!(coloured.contains("\u{1b}["));
    let never = folder.run(&["--color", "never", "check"]).exits(1).stdout;
    assert!(!never.contains('\u{1b}'));
    assert_eq!(redacted(&never), redacted(&without_colour(&coloured)), "colour adds nothing but colour");
}

#[track_caller]
fn check_width(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        assert_eq!(line, line.trim_end(), "nothing to see at the end");
    }
}

fn without_colour(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').unwrap().1)
}

#[test]
fn the_html_report_is_one_file_that_asks_for_nothing_else() {
    let folder = eventful();
    let text = folder.run(&["check", "--html", "report.html"]).exits(1).stdout;
    assert!(text.contains("report.html"), "the report's place is printed");
    let html = folder.read("report.html");
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
    for external in ["src=\"http", "href=\"http", "url(", "@import", "<link rel=\"stylesheet", "<iframe"] {
        assert!(!html.contains(external), "{external}");
    }
    for told in ["Small system", "violet", "region = ", "<svg", "prefers-color-scheme", "@media print"] {
        assert!(html.contains(told), "{told}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_said() {
    let folder = Folder::small();
    folder.run(&["check", "--html", "no/such/folder/report.html"]).refuses(&["no/such/folder/report.html"]);
}

#[test]
fn the_schema_is_json_schema_with_a_description_for_every_key() {
    let run = Folder::empty().run(&["schema"]).exits(0);
    let schema: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(schema["title"], "forewarn.toml");
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"));
    let properties = schema["properties"].as_object().unwrap();
    for key in ["system", "model", "log", "reference", "source", "monitor", "evaluate", "gate"] {
        assert!(properties.contains_key(key), "{key}");
        assert!(properties[key]["description"].is_string(), "{key} is not described");
    }
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = Folder::empty().run(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("forewarn") && script.contains("evaluate"), "{shell}: {script}");
    }
}

#[test]
fn help_lists_every_command_and_no_command_is_a_mistake() {
    let folder = Folder::empty();
    let help = folder.run(&["--help"]).exits(0).stdout;
    for command in ["check", "monitor", "evaluate", "init", "verify", "schema", "completions"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command} in {help}");
    }
    folder.run(&[]).refuses(&["Usage"]);
    folder.run(&["chek"]).refuses(&["chek", "check"]);
    assert!(folder.run(&["--version"]).exits(0).stdout.starts_with("forewarn "));
}

/// Without what differs from run to run: instants of now, and the end of the chain.
fn redacted(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words = line.split(' ').map(|word| {
            let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            if bare.parse::<jiff::Timestamp>().is_ok() {
                word.replace(bare, "[instant]")
            } else if bare.split_once(':').is_some_and(|(_, hash)| hash.len() == 64) {
                word.replace(bare, "[checkpoint]")
            } else {
                word.to_owned()
            }
        });
        words.collect::<Vec<_>>().join(" ") + "\n"
    });
    lines.collect()
}

fn check_snapshot(name: &str, run: &Run) {
    insta::assert_snapshot!(name, redacted(&format!("{}{}", run.stdout, run.stderr)));
}

#[test]
fn a_sound_system_reads_well_in_a_terminal() {
    check_snapshot("sound", &Folder::small().run(&["check"]));
}

#[test]
fn a_failing_system_reads_well_in_a_terminal() {
    check_snapshot("eventful", &eventful().run(&["check"]));
}

#[test]
fn a_failing_system_reads_well_in_a_pull_request() {
    let folder = eventful();
    // As of a fixed day, so that "outcomes known by" is the same on every run.
    check_snapshot("pull_request", &folder.run(&["check", "--as-of", "2024-02-06", "--format", "markdown"]));
}

#[test]
fn mistakes_in_a_definition_are_shown_where_they_are() {
    let log = Table::small_log();
    let mistaken = |part: &str, replacement: &str| {
        Folder::with_log(&definition_with(part, replacement), &log).run(&["check"]).exits(2)
    };
    check_snapshot("unknown_key", &mistaken("score = \"score\"", "scores = \"score\""));
    check_snapshot("missing_column", &mistaken("[\"region\"]", "[\"regoin\"]"));
    check_snapshot("not_a_check", &mistaken("monitor.quality", "monitor.qualty"));
}
