//! From the cheapest changes to a finding: how many decisions somebody can flip within the budget, and by what.

use stats::classification::Estimate;
use types::definition::{Manipulation, Task};
use types::detail::CurvePoint;
use types::finding::{Threshold, Unmeasured};
use types::format::{capitalised, number, percent, value};
use types::manipulation::{ChangedCase, ChangedInput, LeftOut, LeverRow, Manipulated};
use types::{CheckId, Definition, Detail, Finding, Measure, Subject, Verdict};

use super::constraints::Impossible;
use super::summary::{How, LeverUse, Summary, Way, flip, summary};
use super::{Answer, CaseFound, Change, Counterexample, Found, Goal, LeverFound};
use crate::judge::{Asked, Scope, not_certified};

/// Cases that are shown in full.
const EXAMPLES: usize = 5;

/// What the definition wants to be brought about; `None` where it declares no manipulation, or none that fits its task.
pub fn goal(definition: &Definition) -> Option<Goal> {
    let of = definition.stress.manipulation.as_ref()?;
    let towards = of.towards.as_deref();
    Some(match definition.model.task {
        Task::Binary => Goal::Flip {
            threshold: definition.log.threshold,
            towards: towards.map(|towards| towards == POSITIVE),
        },
        Task::Regression => Goal::Move { by: of.by? },
        Task::Multiclass => Goal::Class {
            towards: towards
                .and_then(|towards| definition.log.scores.keys().position(|class| class == towards)),
        },
    })
}

const POSITIVE: &str = "positive";

/// Why there is no search to judge.
#[derive(Clone, Debug, PartialEq)]
pub enum NoSearch {
    /// What parity says of the model that can be asked, where that is not `pass`.
    Parity(Verdict),
    /// No case has a decision that is to be flipped.
    NoCases,
    Impossible(Impossible),
}

/// The finding; `ids` are those of the cases, where the log has them.
pub fn manipulation(
    scope: Scope<'_>,
    constraints: &Manipulation,
    asked: Asked<'_>,
    found: Result<&Found, NoSearch>,
    ids: &[String],
    seed: u64,
) -> Finding {
    let cases_are = cases_are(scope.definition, constraints);
    let found = match found {
        Ok(found) => found,
        Err(why) => {
            let summary = match &why {
                NoSearch::Parity(parity) => not_certified(*parity).to_owned(),
                NoSearch::NoCases => {
                    format!("The rows that the model was asked about hold no {cases_are} to try.")
                }
                NoSearch::Impossible(error) => format!("Nothing was tried: {error}."),
            };
            return blank(scope, constraints, Verdict::Unknown, summary);
        }
    };
    let of = summary(found, constraints.budget, seed);
    let words = Words { definition: scope.definition, constraints, cases_are: &cases_are };
    let verdict = verdict(&of, constraints.max_flipped, found.stopped.is_some());
    let mut finding = blank(scope, constraints, verdict, words.summary(found, &of, verdict));
    finding.unmeasured.clear();
    match of.flipped_share {
        Some(share) => finding.measures.push(measure("flipped_share", share, "of the cases tried; Wilson")),
        None => finding.unmeasured.push(unmeasured("flipped_share", "no case was searched to its end")),
    }
    match of.median_cost {
        Some(median) => {
            let of_flips = "of the cheapest changes found; bootstrap percentiles";
            finding.measures.push(measure("flipped_cost", median, of_flips).without_empty_interval());
        }
        None => finding.unmeasured.push(unmeasured("flipped_cost", "no case was flipped")),
    }
    finding.detail = Some(Detail::Manipulation(Box::new(Manipulated {
        model: asked.model.to_owned(),
        tried: of.searched,
        flipped: of.flipped,
        left_out: of
            .left_out
            .iter()
            .map(|(reason, &cases)| LeftOut { cases, reason: reason.clone() })
            .collect(),
        budget: constraints.budget,
        curve: of.curve.iter().map(|(cost, share)| point(*cost, *share)).collect(),
        levers: of.levers.iter().map(|lever| words.lever(&found.levers[lever.lever], lever)).collect(),
        relations: constraints.relations.iter().map(ToString::to_string).collect(),
        examples: words.examples(found, ids),
        queries: found.cases.iter().map(|case| case.queries).sum(),
        queries_most: u64::from(constraints.queries),
        queries_median: of.median_queries,
        queries_reference: found.rows_asked_of_data,
        is_decision_only: found.is_decision_only,
        stopped: found.stopped.clone(),
        cases_are,
    })));
    finding
}

fn verdict(of: &Summary, max_flipped: f64, is_stopped: bool) -> Verdict {
    match of.flipped_share {
        _ if is_stopped => Verdict::Unknown,
        Some(share) if share.interval.lower > max_flipped => Verdict::Fail,
        Some(share) if share.interval.upper <= max_flipped => Verdict::Pass,
        _ => Verdict::Unknown,
    }
}

/// What is tried, in the plural.
fn cases_are(definition: &Definition, of: &Manipulation) -> String {
    match (definition.model.task, of.towards.as_deref()) {
        (Task::Regression, _) => "predictions".into(),
        (Task::Binary, Some(POSITIVE)) => "negative decisions".into(),
        (Task::Binary, Some(_)) => "positive decisions".into(),
        (Task::Multiclass, Some(class)) => format!("decisions other than `{class}`"),
        (_, None) => "decisions".into(),
    }
}

/// Sentences about one search.
struct Words<'a> {
    definition: &'a Definition,
    constraints: &'a Manipulation,
    cases_are: &'a str,
}

impl Words<'_> {
    fn summary(&self, found: &Found, of: &Summary, verdict: Verdict) -> String {
        let Some(share) = of.flipped_share else {
            return match &found.stopped {
                Some(error) => format!("The search ended before any case was done: {error}."),
                None => {
                    "No case could be searched: the model gives no answer, or relations do not hold.".into()
                }
            };
        };
        let (budget, most) = (value(self.constraints.budget), percent(self.constraints.max_flipped));
        let flipped = format!(
            "{} of {} {} ({}, {} – {}) can be {} within a budget of {budget}",
            of.flipped,
            of.searched,
            self.cases_are,
            percent(share.value),
            percent(share.interval.lower),
            percent(share.interval.upper),
            self.flipped_word()
        );
        if let Some(error) = &found.stopped {
            let of_all = found.cases.len();
            return format!(
                "The search ended early, after {} of {of_all} cases: {error}. {flipped}.",
                of.searched
            );
        }
        let mut words = match verdict {
            Verdict::Fail => format!("{flipped}, surely more than the {most} tolerated."),
            Verdict::Pass => {
                format!(
                    "{flipped}, surely no more than the {most} tolerated, as far as the search finds changes."
                )
            }
            _ => format!(
                "{flipped}; whether that is more than the {most} tolerated cannot be told from so few cases."
            ),
        };
        if let Some(cost) = of.median_cost {
            words.push_str(&format!(" Half of the changes cost {} or less.", number(cost.value)));
        }
        let strongest = of.levers.iter().max_by(|a, b| a.alone.value.total_cmp(&b.alone.value));
        if let Some(lever) = strongest.filter(|lever| lever.alone.value > 0.0) {
            words.push(' ');
            words.push_str(&self.alone(&found.levers[lever.lever].feature, lever));
        }
        words
    }

    fn flipped_word(&self) -> String {
        match self.constraints.by {
            Some(by) => {
                format!("moved {} by {} or more", if by > 0.0 { "up" } else { "down" }, value(by.abs()))
            }
            None => "flipped".into(),
        }
    }

    fn flips(&self) -> String {
        match self.constraints.by {
            Some(_) => "moves as far as that".into(),
            None => "flips".into(),
        }
    }

    /// `Raising x alone flips 12 % of the negative decisions (8.1 % – 17.2 %), half of these by 4 % of it or less.`
    fn alone(&self, feature: &str, of: &LeverUse) -> String {
        let (doing, half) = match &of.how {
            None => return String::new(),
            Some(How::Category { to }) => ("Changing", format!("most often to `{to}`")),
            Some(How::Number { way, median, is_share }) => {
                let size = if *is_share { percent(*median) } else { value(*median) };
                let doing = match way {
                    Way::Up => "Raising",
                    Way::Down => "Lowering",
                    Way::Mixed => "Changing",
                };
                (doing, format!("half of these by {size} or less"))
            }
        };
        let flips = self.flips();
        format!("{doing} `{feature}` alone {flips} {} of the {}, {half}.", interval(of.alone), self.cases_are)
    }

    fn lever(&self, lever: &LeverFound, of: &LeverUse) -> LeverRow {
        let only_with_others = || {
            if of.used.value == 0.0 {
                return String::new();
            }
            format!("`{}` alone flips none; with others it is part of a cheapest change.", lever.feature)
        };
        let sentence = if of.how.is_some() { self.alone(&lever.feature, of) } else { only_with_others() };
        LeverRow {
            feature: lever.feature.clone(),
            constraint: lever.constraint.clone(),
            cost: lever.cost,
            used: measure("lever_share", of.used, "of the cases tried; Wilson"),
            alone: measure("alone_share", of.alone, "of the cases tried; Wilson"),
            sentence,
        }
    }

    /// The cheapest change, the dearest, and others evenly between.
    fn examples(&self, found: &Found, ids: &[String]) -> Vec<ChangedCase> {
        let mut flips: Vec<(&CaseFound, &Counterexample)> =
            found.cases.iter().filter_map(|case| Some((case, flip(case)?))).collect();
        flips.sort_by(|a, b| a.1.cost.total_cmp(&b.1.cost));
        let last = flips.len().saturating_sub(1);
        let mut at: Vec<usize> = (0..EXAMPLES).map(|part| part * last / (EXAMPLES - 1)).collect();
        at.dedup();
        at.into_iter()
            .filter_map(|at| flips.get(at))
            .map(|(case, flip)| self.example(case, flip, ids))
            .collect()
    }

    fn example(&self, case: &CaseFound, flip: &Counterexample, ids: &[String]) -> ChangedCase {
        let input = |change: &Change| ChangedInput {
            feature: change.feature.clone(),
            from: change.from.clone(),
            to: change.to.clone(),
            cost: change.cost,
        };
        let before = case.answer.as_ref().map_or_else(|| "–".to_owned(), |answer| self.answer(answer));
        let after = self.answer(&flip.answer);
        let changed: Vec<String> = flip.changes.iter().map(words_of).collect();
        let id = ids.get(case.case).cloned().unwrap_or_default();
        let sentence =
            format!("{} takes the answer from {before} to {after}.", capitalised(&changed.join(", and ")));
        ChangedCase {
            id,
            cost: flip.cost,
            before,
            after,
            changes: flip.changes.iter().map(input).collect(),
            sentence,
        }
    }

    /// `0.312`, or `EWR (0.512)`.
    fn answer(&self, answer: &Answer) -> String {
        match answer {
            Answer::Number(score) => number(*score),
            Answer::Classes(of) => {
                let likeliest = stats::multiclass::rows::likeliest(of);
                let class =
                    likeliest.and_then(|at| Some((self.definition.log.scores.keys().nth(at)?, of[at])));
                class.map_or_else(|| "–".to_owned(), |(class, p)| format!("{class} ({})", number(p)))
            }
        }
    }
}

/// `raising x from 30 to 36 (20 %)`.
fn words_of(change: &Change) -> String {
    let way = match change.by {
        Some(by) if by > 0.0 => "raising",
        Some(_) => "lowering",
        None => "changing",
    };
    let text = |written: &str| written.parse().map_or_else(|_| format!("`{written}`"), value);
    let (from, to) = match change.by {
        Some(_) => (text(&change.from), text(&change.to)),
        None => (format!("`{}`", change.from), format!("`{}`", change.to)),
    };
    let share = change.by_share.map(|share| format!(" ({})", percent(share.abs()))).unwrap_or_default();
    format!("{way} `{}` from {from} to {to}{share}", change.feature)
}

/// `23 % (17.7 % – 29.3 %)`.
fn interval(of: Estimate) -> String {
    format!("{} ({} – {})", percent(of.value), percent(of.interval.lower), percent(of.interval.upper))
}

fn measure(name: &str, of: Estimate, method: &str) -> Measure {
    Measure { interval: Some(of.interval), ..Measure::new(name, of.value, of.n, method) }
}

fn unmeasured(name: &str, reason: &str) -> Unmeasured {
    Unmeasured { name: name.into(), reason: reason.into() }
}

fn point(cost: f64, share: Estimate) -> CurvePoint {
    let (lower, upper) = (share.interval.lower, share.interval.upper);
    CurvePoint { at: cost, value: share.value, lower, upper }
}

fn blank(scope: Scope<'_>, constraints: &Manipulation, verdict: Verdict, summary: String) -> Finding {
    let threshold = Threshold {
        measure: "flipped_share".into(),
        at_least: None,
        at_most: Some(constraints.max_flipped),
        from: "stress.manipulation.max_flipped".into(),
    };
    Finding {
        summary,
        thresholds: vec![threshold],
        unmeasured: vec![unmeasured("flipped_share", "no case was tried")],
        ..Finding::blank(CheckId::Manipulation, Subject::Model, verdict, scope.window)
    }
}
