//! Rows below a sentence: a label and its numbers side by side, or one below the other where a line is too short
//! for both.
//!
//! A number is never cut off and never parted from its interval: a line breaks between numbers alone.

use super::wrap::{shortened, wrapped};

/// Columns before the label of a row.
const INDENT: usize = 9;
/// Columns of the longest label that has its numbers beside it.
const LABEL: usize = 40;
/// The fewest columns that a label takes, so that numbers of short labels stand under those of others.
const LABEL_LEAST: usize = 16;
/// Between two numbers.
const GAP: &str = "  ";
/// Lines of a label; what the data calls a value may be of any length.
const LABEL_LINES: usize = 3;

pub(super) struct Row<V> {
    /// Of the sign before the label.
    pub(super) verdict: Option<V>,
    pub(super) label: String,
    /// Each with its interval.
    pub(super) numbers: Vec<String>,
}

/// The lines of some rows, the sign of a row before its first one.
pub(super) fn lines<V>(rows: Vec<Row<V>>, width: usize) -> Vec<(Option<V>, String)> {
    let longest = |of: fn(&Row<V>) -> usize| rows.iter().map(of).max().unwrap_or_default();
    let label = longest(|row| row.label.chars().count()).max(LABEL_LEAST);
    let numbers = longest(|row| row.numbers.join(GAP).chars().count());
    let beside = label <= LABEL && INDENT + label + GAP.len() + numbers <= width;
    let room = width.saturating_sub(INDENT).max(1);
    let mut lines = Vec::new();
    for Row { verdict, label: name, numbers } in rows {
        if beside {
            let padding = " ".repeat(label - name.chars().count());
            let name = shortened(&name, label);
            lines.push((verdict, format!("{name}{padding}{GAP}{}", numbers.join(GAP))));
            continue;
        }
        let name = wrapped(&shortened(&name, LABEL_LINES * room), room);
        let below = packed(&numbers, room.saturating_sub(GAP.len()));
        let below = below.into_iter().map(|line| format!("{GAP}{line}"));
        let mut verdict = verdict;
        lines.extend(name.into_iter().chain(below).map(|line| (verdict.take(), line)));
    }
    lines
}

/// As many numbers in a line as fit; one that does not is broken before its interval.
fn packed(numbers: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for number in numbers.iter().filter(|number| !number.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + GAP.len() + number.chars().count() <= width => {
                line.push_str(GAP);
                line.push_str(number);
            }
            _ => lines.extend(wrapped(number, width)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, numbers: &[&str]) -> Row<char> {
        let numbers = numbers.iter().map(ToString::to_string).collect();
        Row { verdict: Some('!'), label: label.into(), numbers }
    }

    fn check(rows: Vec<Row<char>>, width: usize, expected: &[&str]) {
        let found = lines(rows, width);
        let text: Vec<&str> = found.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(text, expected);
        assert!(found[0].0 == Some('!') && text.iter().all(|line| line.chars().count() + INDENT <= width));
    }

    #[test]
    fn numbers_stand_beside_labels_where_a_line_holds_both_and_below_them_where_it_does_not() {
        let rows = || {
            vec![
                row("day_part = morning", &["98.4 % [96.7 % – 99.2 %]", "427 rows"]),
                row("dewp", &["3.0 %"]),
            ]
        };
        let beside = ["day_part = morning  98.4 % [96.7 % – 99.2 %]  427 rows", "dewp                3.0 %"];
        check(rows(), 80, &beside);
        let below = ["day_part = morning", "  98.4 % [96.7 % – 99.2 %]", "  427 rows", "dewp", "  3.0 %"];
        check(rows(), 40, &below);
    }

    #[test]
    fn a_long_label_is_told_in_full_and_one_without_end_is_not() {
        let label = "education = Bachelors, occupation = Exec-managerial, capital_gain up to 297";
        let first = "education = Bachelors, occupation = Exec-managerial, capital_gain up to";
        check(vec![row(label, &["2.99 ×"])], 80, &[first, "297", "  2.99 ×"]);
        let endless = lines(vec![row(&"word ".repeat(500), &["1"])], 40);
        assert!(endless.len() < 8, "{}", endless.len());
    }

    #[test]
    fn one_sign_stands_before_each_row() {
        let found = lines(vec![row("a", &["1"]), row(&"long ".repeat(20), &["2"])], 40);
        assert_eq!(found.iter().filter(|(sign, _)| sign.is_some()).count(), 2);
    }
}
