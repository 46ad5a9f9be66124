//! The rules that are compared: how they turn a week's figures of all columns into alarms.

use stats::false_discovery::{benjamini_hochberg, holm};
use stats::sequential::e_bh::e_bh_adjusted;
use stats::sequential::running_maximum::{adjusted_log_e_value, anytime_p_value};

use crate::streams::{Capital, Sample};

/// The least PSI above chance and what is usual that counts as an effect, the default of `warn`.
const EFFECT: f64 = 0.1;

/// What is known of a column at the end of a week.
pub(crate) struct Week {
    /// Chi-square test against the reference.
    pub(crate) p_value: f64,
    pub(crate) window: Sample,
    /// Of each of its streams.
    pub(crate) capitals: Vec<Capital>,
    pub(crate) evidently: bool,
    pub(crate) nannyml: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Significance {
    Evidently,
    Nannyml,
    /// Benjamini–Hochberg over this week's tests alone, as before this crate had bets.
    WeeklyBenjaminiHochberg,
    /// e-BH on current capitals.
    MixtureMartingale,
    ChangeMixture,
    /// e-BH on adjusted maxima of the change mixture.
    AdjustedMaximum,
    /// Holm on anytime p-values of the change mixture.
    Holm,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Rule {
    pub(crate) significance: Significance,
    /// The budget; the peers have none.
    pub(crate) alpha: f64,
    /// Whether an alarm needs an effect too.
    pub(crate) effect: bool,
}

impl Rule {
    pub(crate) fn name(self) -> String {
        let name = match self.significance {
            Significance::Evidently => return "Evidently 0.7.23, defaults".to_owned(),
            Significance::Nannyml => return "NannyML 0.13.1, defaults".to_owned(),
            Significance::WeeklyBenjaminiHochberg => "Benjamini–Hochberg each week",
            Significance::MixtureMartingale => "e-BH, mixture martingale",
            Significance::ChangeMixture => "e-BH, change mixture",
            Significance::AdjustedMaximum => "e-BH, adjusted maximum",
            Significance::Holm => "Holm, anytime p-values",
        };
        let effect = if self.effect { ", and an effect" } else { "" };
        format!("{name}, {}{effect}", self.alpha)
    }

    pub(crate) fn is_peer(self) -> bool {
        matches!(self.significance, Significance::Evidently | Significance::Nannyml)
    }
}

pub(crate) fn rules() -> Vec<Rule> {
    use Significance::{
        AdjustedMaximum, ChangeMixture, Evidently, Holm, MixtureMartingale, Nannyml, WeeklyBenjaminiHochberg,
    };
    let peers = [Evidently, Nannyml].map(|significance| Rule { significance, alpha: 0.0, effect: false });
    let mut rules = peers.to_vec();
    for significance in [WeeklyBenjaminiHochberg, MixtureMartingale, ChangeMixture, AdjustedMaximum, Holm] {
        for alpha in [0.01, 0.05] {
            rules.extend([false, true].map(|effect| Rule { significance, alpha, effect }));
        }
    }
    rules
}

/// For each rule, which columns it calls this week.
///
/// `psi_news`: of a column, the PSI against the reference less what chance gives and what is usual; it is slow,
/// and asked for only where a rule needs it.
pub(crate) fn called(rules: &[Rule], week: &[Week], psi_news: impl Fn(usize) -> f64) -> Vec<Vec<bool>> {
    let weekly = benjamini_hochberg(&week.iter().map(|column| column.p_value).collect::<Vec<f64>>());
    // The family is all streams of all columns; a column is called where one of its streams is.
    let power = by_column(week, e_bh_adjusted, |c| c.log_power);
    let change = by_column(week, e_bh_adjusted, |c| c.log_change);
    let adjusted = by_column(week, e_bh_adjusted, |c| adjusted_log_e_value(c.log_change_max));
    let anytime = by_column(week, holm, |c| anytime_p_value(c.log_change_max));
    let calls = |rule: &Rule, column: usize| {
        let significant = match rule.significance {
            Significance::Evidently => week[column].evidently,
            Significance::Nannyml => week[column].nannyml,
            Significance::WeeklyBenjaminiHochberg => weekly[column] <= rule.alpha,
            Significance::MixtureMartingale => power[column] <= rule.alpha,
            Significance::ChangeMixture => change[column] <= rule.alpha,
            Significance::AdjustedMaximum => adjusted[column] <= rule.alpha,
            Significance::Holm => anytime[column] <= rule.alpha,
        };
        significant && (!rule.effect || psi_news(column) >= EFFECT)
    };
    rules.iter().map(|rule| (0..week.len()).map(|column| calls(rule, column)).collect()).collect()
}

/// The least adjusted value of each column's streams.
fn by_column(week: &[Week], adjust: fn(&[f64]) -> Vec<f64>, of: fn(&Capital) -> f64) -> Vec<f64> {
    let of_streams: Vec<f64> = week.iter().flat_map(|column| &column.capitals).map(of).collect();
    let mut adjusted = adjust(&of_streams).into_iter();
    week.iter().map(|column| adjusted.by_ref().take(column.capitals.len()).fold(1.0, f64::min)).collect()
}
