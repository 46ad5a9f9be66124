//! Names, units and explanations of measures and checks, the same in every output format.

mod evaluation;

use types::CheckId;
use types::definition::{Metric, Tier};
use types::finding::{Measure, Threshold, WindowPerformance};
pub(crate) use types::measure::{range_text, title as measure_title, unit_of, value_text as measure_value};
use types::{Verdict, Window, format, window};

use crate::maturity;

/// Verdicts from worst to best, the order in which every count is given.
pub(crate) const WORST_FIRST: [Verdict; 4] = [Verdict::Fail, Verdict::Unknown, Verdict::Warn, Verdict::Pass];

/// The name of a check for people.
pub(crate) fn check_title(check: CheckId) -> &'static str {
    match check {
        CheckId::Drift => "Drift",
        CheckId::Quality => "Data quality",
        CheckId::Multivariate => "Drift of all columns together",
        CheckId::PerformanceOverTime => "Performance over time",
        CheckId::Outcomes => "Outcomes",
        CheckId::Performance => "Performance",
        CheckId::WorstSegment => "Worst segment",
        CheckId::Calibration => "Calibration",
        CheckId::Slices => "Weak slices",
        CheckId::WorstSubpopulation => "Worst case",
        CheckId::Errors => "Errors",
        CheckId::Tail => "Rare cases",
        CheckId::Fairness => "Fairness",
        CheckId::Comparison => "Comparison",
        CheckId::Parity => "Parity",
        CheckId::Missing => "Missing inputs",
        CheckId::Faults => "Faulty inputs",
        CheckId::Detection => "Detection",
        CheckId::Load => "Load",
        CheckId::Endpoint => "Faults of the server",
        CheckId::Manipulation => "Manipulation",
    }
}

pub(crate) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Prohibited => "prohibited",
        Tier::High => "high risk",
        Tier::Limited => "limited risk",
        Tier::Minimal => "minimal risk",
    }
}

/// What a measure of performance means, in words for everybody.
pub(crate) fn measure_meaning(name: &str) -> Option<&'static str> {
    match name {
        "loss_against_reference" => {
            return Some("How much worse than in the reference window; below 0 is better");
        }
        "loss_share_against_reference" => {
            return Some("By what share the error is larger than in the reference window; below 0 is better");
        }
        "domain_classifier_auc" => {
            return Some("How well the window can be told from the reference; 0.5 means not at all");
        }
        "mean_daily_loss" => {
            return Some(
                "What the rows of a day lost on average; lower is better, and the limit is what is tolerated",
            );
        }
        "pca_reconstruction_error" => {
            return Some("How badly the relations between columns in the reference describe the window");
        }
        _ => {}
    }
    if let Some(meaning) = evaluation::meaning(name) {
        return Some(meaning);
    }
    Some(match types::measure::metric(name)? {
        Metric::RocAuc => "How often a random positive case scores above a random negative one",
        Metric::AveragePrecision => "Precision, averaged over all alarm thresholds",
        Metric::Accuracy => "Share of predictions that were right",
        Metric::Precision => "Of the predicted positives, the share that were positive",
        Metric::Recall => "Of the positive cases, the share that was predicted",
        Metric::F1 => "Precision and recall in one number",
        Metric::Brier => "Mean squared distance between score and outcome",
        Metric::LogLoss => "Penalty that grows steeply for confident mistakes",
        Metric::MacroF1 => "Precision and recall in one number, each class counting the same",
        Metric::MacroRocAuc => "How well each class can be told from the rest, each counting the same",
        Metric::Mae => "By how much a prediction is off on average, in the unit of the outcome",
        Metric::Rmse => "Typical size of an error in the unit of the outcome, large errors counting most",
        Metric::R2 => "Share of the variation of the outcome that the predictions explain",
        Metric::Mape => "By what share of the outcome a prediction is off on average",
        Metric::MeanError => "Predictions less outcomes on average; above 0 they are too high",
    })
}

/// Which direction is good, where the measure is a metric.
pub(crate) fn better(name: &str) -> Option<&'static str> {
    types::measure::metric(name).map(|metric| match metric {
        Metric::MeanError => "nearer to 0 is better",
        metric if metric.higher_is_better() => "higher is better",
        _ => "lower is better",
    })
}

/// `0.690 – 0.714`.
pub(crate) fn interval(measure: &Measure) -> Option<String> {
    interval_in(&measure.name, measure)
}

/// The same in the unit of another measure.
pub(crate) fn interval_in(unit: &str, measure: &Measure) -> Option<String> {
    range_text(unit, measure.interval)
}

/// `ROC AUC 0.702 (0.690 – 0.714)`.
pub(crate) fn measure_text(measure: &Measure) -> String {
    measure_text_in(&measure.name, measure)
}

/// The same with the value written in the unit of another measure.
pub(crate) fn measure_text_in(unit: &str, measure: &Measure) -> String {
    let interval = interval_in(unit, measure).map(|interval| format!(" ({interval})")).unwrap_or_default();
    format!("{} {}{interval}", measure_title(&measure.name), measure_value(unit, measure.value))
}

/// What outcomes say, what was estimated without them, and how many outcomes there are.
pub(crate) fn realised_and_estimated(of: &WindowPerformance) -> Vec<String> {
    let said = [
        ("from outcomes", &of.realised),
        ("estimated", &of.estimated),
        ("estimated for its inputs", &of.estimated_for_shift),
        ("reference", &of.reference),
    ];
    let mut said: Vec<String> = said
        .into_iter()
        .filter_map(|(how, measure)| Some(format!("{how}: {}", measure_text(measure.as_ref()?))))
        .collect();
    said.push(format!("{}: {}", maturity::word(of.maturity.state), maturity::coverage(&of.maturity)));
    said
}

/// `95 %`.
pub(crate) fn level(measure: &Measure) -> Option<String> {
    measure.interval.as_ref().map(|interval| format::percent(interval.level.get()))
}

/// `at least 0.620`, `at most 0.050`.
pub(crate) fn bound(threshold: &Threshold) -> String {
    bound_in(&threshold.measure, threshold)
}

/// The same in the unit of another measure.
pub(crate) fn bound_in(unit: &str, threshold: &Threshold) -> String {
    let text = |value: f64| measure_value(unit, value);
    match (threshold.at_least, threshold.at_most) {
        (Some(low), Some(high)) => format!("between {} and {}", text(low), text(high)),
        (Some(low), None) => format!("at least {}", text(low)),
        (None, Some(high)) => format!("at most {}", text(high)),
        (None, None) => "reported only".to_owned(),
    }
}

/// `2013-06-03 to 2013-06-10`.
pub(crate) fn window_text(of: Window) -> String {
    format!("{} to {}", window::instant_text(of.from()), window::instant_text(of.to()))
}

/// `2013-06-11 06:00 UTC` from an RFC 3339 instant; any other text as it is.
pub(crate) fn minute(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(10..11), rfc3339.get(11..16)) {
        (Some(date), Some("T"), Some(time)) if rfc3339.ends_with('Z') => {
            format!("{date} {time} UTC")
        }
        _ => rfc3339.to_owned(),
    }
}

/// A sentence cut at its backticks: what stands between a pair of them is a name.
pub(crate) fn names_marked(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let pairs = text.matches('`').count() / 2 * 2;
    text.splitn(pairs + 1, '`').enumerate().map(|(i, part)| (i % 2 == 1, part))
}

/// A text in which no line ends between a number and its unit.
pub(crate) fn with_units(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut is_number = false;
    while let Some(c) = letters.next() {
        let is_unit = c == ' ' && is_number && letters.peek().is_some_and(|next| matches!(next, '%' | '×'));
        out.push(if is_unit { '\u{a0}' } else { c });
        is_number = c.is_ascii_digit();
    }
    out
}

/// The first sentence of a text, with its full stop.
pub(crate) fn first_sentence(text: &str) -> &str {
    let ends = text.match_indices(". ").map(|(at, _)| at + 1);
    let starts_anew = |at: &usize| text[at + 1..].starts_with(|c: char| c.is_uppercase() || c == '`');
    ends.into_iter().find(starts_anew).map_or(text, |at| &text[..at])
}

/// With a capital at the start, as a title.
pub(crate) fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_in_the_unit_of_its_measure() {
        for (name, value, expected) in [
            ("missing_share_change", 0.116, "11.6 %"),
            ("unseen_share", 0.0, "0 %"),
            ("missing_share_change", -0.042, "−4.2 %"),
            ("surplus_rows", 1200.0, "1,200"),
            ("missing_ids", 3.0, "3"),
            ("roc_auc", 0.7021, "0.702"),
            ("roc_auc_change", -0.031, "−0.031"),
        ] {
            assert_eq!(measure_value(name, value), expected, "{name}");
        }
    }

    #[test]
    fn a_number_keeps_its_unit() {
        let text = "it is 9.7 % (8.1 % to 11.4 %), 2.35 × the average; carrier × origin";
        let expected =
            "it is 9.7\u{a0}% (8.1\u{a0}% to 11.4\u{a0}%), 2.35\u{a0}× the average; carrier × origin";
        assert_eq!(with_units(text), expected);
    }

    #[test]
    fn an_instant_is_shown_to_the_minute() {
        assert_eq!(minute("2013-06-11T06:00:12.5Z"), "2013-06-11 06:00 UTC");
        assert_eq!(minute("-009999-01-02T01:59:59Z"), "-009999-01-02T01:59:59Z");
    }

    #[test]
    fn a_full_stop_ends_a_sentence_only_before_a_capital() {
        for (text, first) in [
            ("One. Two.", "One."),
            ("At 0.62 it fails. Passengers wait.", "At 0.62 it fails."),
            ("It is approx. right.", "It is approx. right."),
            ("Fine. `temp` moved.", "Fine."),
            ("Früher. Später.", "Früher."),
            ("Ends. ", "Ends. "),
            ("", ""),
        ] {
            assert_eq!(first_sentence(text), first);
        }
    }

    #[test]
    fn only_pairs_of_backticks_mark_names() {
        for (text, parts) in [
            ("`a b` is c", &[(false, ""), (true, "a b"), (false, " is c")][..]),
            ("a`b", &[(false, "a`b")]),
            ("`a` `", &[(false, ""), (true, "a"), (false, " `")]),
            ("", &[(false, "")]),
        ] {
            assert_eq!(names_marked(text).collect::<Vec<_>>(), parts, "{text}");
        }
    }

    #[test]
    fn a_list_ends_with_and() {
        let words = |n: usize| ["a", "b", "c"][..n].iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!([0, 1, 2, 3].map(|n| list(&words(n))), ["", "a", "a and b", "a, b and c"]);
    }
}
