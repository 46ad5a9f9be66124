//! The rules that are compared: how they turn a week's figures of all columns into alarms.

use stats::false_discovery::{benjamini_hochberg, holm};
use stats::sequential::e_bh::e_bh_adjusted;
use stats::sequential::running_maximum::{adjusted_log_e_value, anytime_p_value};

/// The least PSI above chance that counts as an effect, the default of `warn`.
const EFFECT: f64 = 0.1;

/// What is known of a column at the end of a week.
#[derive(Clone, Copy, Default)]
pub(crate) struct Week {
    /// Chi-square test against the reference.
    pub(crate) p_value: f64,
    /// PSI against the reference, less what chance gives.
    pub(crate) psi_excess: f64,
    /// Current capital of the mixture martingale.
    pub(crate) log_power: f64,
    /// Current and largest capital of the change mixture.
    pub(crate) log_change: f64,
    pub(crate) log_change_max: f64,
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
pub(crate) fn called(rules: &[Rule], week: &[Week]) -> Vec<Vec<bool>> {
    let of = |value: fn(&Week) -> f64| week.iter().map(value).collect::<Vec<f64>>();
    let weekly = benjamini_hochberg(&of(|w| w.p_value));
    let power = e_bh_adjusted(&of(|w| w.log_power));
    let change = e_bh_adjusted(&of(|w| w.log_change));
    let adjusted = e_bh_adjusted(&of(|w| adjusted_log_e_value(w.log_change_max)));
    let anytime = holm(&of(|w| anytime_p_value(w.log_change_max)));
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
        significant && (!rule.effect || week[column].psi_excess >= EFFECT)
    };
    rules.iter().map(|rule| (0..week.len()).map(|column| calls(rule, column)).collect()).collect()
}
