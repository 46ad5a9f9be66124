//! Whether the outcomes of a window have arrived, in words.

use types::finding::{Maturity, MaturityState, QUANTILES};
use types::format;
use types::window::instant_text;

pub(crate) fn word(state: MaturityState) -> &'static str {
    match state {
        MaturityState::Settled => "settled",
        MaturityState::Maturing => "maturing",
        MaturityState::TooEarly => "too early",
    }
}

/// `62 % of outcomes known, 98 % expected by now`.
pub(crate) fn coverage(of: &Maturity) -> String {
    let [known, expected] = [of.coverage, of.expected_coverage].map(format::percent);
    format!("{known} of outcomes known, {expected} expected by now")
}

/// `settled on 2024-02-20` or `expected to be settled on 2024-02-20`; `None` where outcomes have no time.
pub(crate) fn settled(of: &Maturity) -> Option<String> {
    let day = instant_text(of.settled_by?);
    Some(match of.state {
        MaturityState::Settled => format!("settled by {day}"),
        MaturityState::Maturing | MaturityState::TooEarly => format!("to be expected by {day}"),
    })
}

/// How long a settled window's own outcomes took: `half of its outcomes within 6 hours, 95 % within 3 days`.
pub(crate) fn own_delay(of: &Maturity) -> Option<String> {
    let (half, nearly_all) = half_and_nearly_all(&of.own_delay_days)?;
    Some(format!("half of its outcomes within {}, 95 % within {}", duration(half), duration(nearly_all)))
}

fn half_and_nearly_all(delay_days: &[f64]) -> Option<(f64, f64)> {
    let days = |share: f64| {
        let at = QUANTILES.iter().position(|quantile| *quantile == share)?;
        delay_days.get(at).copied().filter(|days| days.is_finite())
    };
    Some((days(0.5)?, days(0.95)?))
}

/// How long outcomes take, in one sentence; `None` where that is not known.
pub(crate) fn delay(of: &Maturity) -> Option<String> {
    let (half, nearly_all) = half_and_nearly_all(&of.delay_days)?;
    Some(format!(
        "In the reference, half of the outcomes were known within {} and 95 % within {}.",
        duration(half),
        duration(nearly_all)
    ))
}

/// `4 hours`, `1.5 days`, `3 weeks`.
fn duration(days: f64) -> String {
    let (amount, one, many) = if days < 1.0 / 24.0 {
        (days * 24.0 * 60.0, "minute", "minutes")
    } else if days < 2.0 {
        (days * 24.0, "hour", "hours")
    } else {
        (days, "day", "days")
    };
    let text = if amount < 10.0 { format!("{amount:.1}") } else { format!("{amount:.0}") };
    let text = text.strip_suffix(".0").unwrap_or(&text);
    format!("{text} {}", if text == "1" { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_said_in_the_unit_that_people_would_use() {
        for (days, said) in [
            (0.0, "0 minutes"),
            (1.0 / 24.0, "1 hour"),
            (0.25, "6 hours"),
            (2.5, "2.5 days"),
            (45.0, "45 days"),
        ] {
            assert_eq!(duration(days), said);
        }
    }

    #[test]
    fn a_delay_that_is_not_known_is_not_said() {
        let of = |delay_days| Maturity {
            state: MaturityState::Settled,
            coverage: 1.0,
            expected_coverage: 1.0,
            delay_days,
            own_delay_days: vec![],
            settled_by: None,
        };
        assert_eq!(delay(&of(vec![])), None);
        assert_eq!(delay(&of(vec![f64::NAN; 5])), None);
        assert!(
            delay(&of(vec![0.1, 0.2, 0.25, 1.0, 3.0])).unwrap().contains("6 hours and 95 % within 3 days")
        );
        assert_eq!(settled(&of(vec![])), None);
        let settled_by = "2024-02-20T00:00:00Z".parse().ok();
        let known = Maturity { settled_by, own_delay_days: vec![0.1, 0.2, 0.25, 1.0, 3.0], ..of(vec![]) };
        assert_eq!(settled(&known).as_deref(), Some("settled by 2024-02-20"));
        assert_eq!(
            own_delay(&known).as_deref(),
            Some("half of its outcomes within 6 hours, 95 % within 3 days")
        );
        let waiting = Maturity { state: MaturityState::TooEarly, ..known };
        assert_eq!(settled(&waiting).as_deref(), Some("to be expected by 2024-02-20"));
    }
}
