//! What differs between two pipelines, step by step, in words that a person can act on.
//!
//! Steps are put beside each other by name, along the longest run of names that both have in the same order; what is in
//! one alone was added or removed, and a step that stands elsewhere is both.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::Step;

/// One thing that differs, of a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    pub step: String,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// Only the second has the step.
    Added,
    /// Only the first has it.
    Removed,
    /// The code is another.
    Code { before: Option<String>, after: Option<String> },
    /// A parameter is another; none where it is not set.
    Parameter { name: String, before: Option<Value>, after: Option<Value> },
    /// What was fitted is another.
    State { name: String, before: Option<String>, after: Option<String> },
}

/// What differs between the first pipeline and the second, in the order of the steps.
pub fn differences(first: &[Step], second: &[Step]) -> Vec<Difference> {
    let kept = common(first, second);
    let (mut at_first, mut at_second) = (0, 0);
    let mut found = Vec::new();
    let ends = [(first.len(), second.len())];
    for (i, j) in kept.into_iter().chain(ends) {
        let alone = |steps: &[Step], what: &What| -> Vec<Difference> {
            steps.iter().map(|step| Difference { step: step.name.clone(), what: what.clone() }).collect()
        };
        found.extend(alone(&first[at_first..i], &What::Removed));
        found.extend(alone(&second[at_second..j], &What::Added));
        if let (Some(before), Some(after)) = (first.get(i), second.get(j)) {
            found.extend(
                within(before, after).into_iter().map(|what| Difference { step: before.name.clone(), what }),
            );
        }
        (at_first, at_second) = (i + 1, j + 1);
    }
    found
}

/// The longest common subsequence of names, as pairs of positions.
fn common(first: &[Step], second: &[Step]) -> Vec<(usize, usize)> {
    let mut lengths = vec![vec![0_usize; second.len() + 1]; first.len() + 1];
    for i in (0..first.len()).rev() {
        for j in (0..second.len()).rev() {
            lengths[i][j] = if first[i].name == second[j].name {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < first.len() && j < second.len() {
        if first[i].name == second[j].name {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

fn within(before: &Step, after: &Step) -> Vec<What> {
    let mut found = Vec::new();
    if before.code != after.code {
        found.push(What::Code { before: before.code.clone(), after: after.code.clone() });
    }
    let names: BTreeSet<&String> = before.parameters.keys().chain(after.parameters.keys()).collect();
    for name in names {
        let (a, b) = (before.parameters.get(name), after.parameters.get(name));
        if a != b {
            found.push(What::Parameter { name: name.clone(), before: a.cloned(), after: b.cloned() });
        }
    }
    let names: BTreeSet<&String> = before.state.keys().chain(after.state.keys()).collect();
    for name in names {
        let (a, b) = (before.state.get(name), after.state.get(name));
        if a != b {
            let text = |digest: Option<&types::Digest>| digest.map(ToString::to_string);
            found.push(What::State { name: name.clone(), before: text(a), after: text(b) });
        }
    }
    found
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let step = &self.step;
        let shown = |value: &Option<Value>| value.as_ref().map_or("not set".into(), ToString::to_string);
        let short = |text: &Option<String>| {
            text.as_ref().map_or("not known".into(), |text| text.chars().take(12).collect::<String>())
        };
        match &self.what {
            What::Added => write!(f, "step `{step}` was added"),
            What::Removed => write!(f, "step `{step}` was removed"),
            What::Code { before, after } => {
                write!(f, "step `{step}`: code {} → {}", short(before), short(after))
            }
            What::Parameter { name, before, after } => {
                write!(f, "step `{step}`: parameter `{name}` {} → {}", shown(before), shown(after))
            }
            What::State { name, before, after } => {
                write!(f, "step `{step}`: fitted `{name}` {} → {}", short(before), short(after))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<Step> {
        serde_json::from_str(text).unwrap()
    }

    #[track_caller]
    fn check(first: &str, second: &str, expected: &[&str]) {
        let found: Vec<String> =
            differences(&steps(first), &steps(second)).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn differences_are_told_step_by_step() {
        let first =
            r#"[{"name":"read"},{"name":"impute","parameters":{"by":"median","k":1}},{"name":"scale"}]"#;
        check(first, first, &[]);
        check(
            first,
            r#"[{"name":"read","code":"4f2d9c1a5bd67e"},{"name":"impute","parameters":{"by":"mean"}},{"name":"clip"}]"#,
            &[
                "step `read`: code not known → 4f2d9c1a5bd6",
                "step `impute`: parameter `by` \"median\" → \"mean\"",
                "step `impute`: parameter `k` 1 → not set",
                "step `scale` was removed",
                "step `clip` was added",
            ],
        );
    }

    #[test]
    fn a_step_that_moved_was_removed_and_added() {
        check(
            r#"[{"name":"a"},{"name":"b"},{"name":"c"}]"#,
            r#"[{"name":"c"},{"name":"a"},{"name":"b"}]"#,
            &["step `c` was added", "step `c` was removed"],
        );
    }

    #[test]
    fn another_fitted_state_is_told_by_name() {
        let state =
            |digit: &str| format!(r#"[{{"name":"scale","state":{{"means":"{}"}}}}]"#, digit.repeat(64));
        check(&state("a"), &state("b"), &["step `scale`: fitted `means` aaaaaaaaaaaa → bbbbbbbbbbbb"]);
    }
}
