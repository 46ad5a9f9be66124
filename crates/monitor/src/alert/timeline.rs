//! Evidence in the order of its windows, and as the conditions of alerts see it at one of them.
//!
//! Of several runs of a check for one window the latest counts, and of windows of several lengths those of the
//! check's cadence, where there are any. A window is a step; at a step every check
//! stands as its newest window up to there says, the shorter one of two that end together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cel::{Context, Env, Value};
use jiff::Timestamp;
use types::definition::{Definition, Metric};
use types::{CheckId, Finding, Record, Subject, Verdict, Window};

use super::names;

/// Newest last: the end of a window, then its start.
type Recency = (Timestamp, Timestamp);

/// The evidence of one system and model version.
pub(super) struct Timeline<'a> {
    /// The functions of CEL, which take longer to gather than a condition to ask.
    functions: Arc<Env>,
    windows: BTreeMap<CheckId, BTreeMap<Recency, Vec<&'a Record>>>,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(definition: &Definition, records: &'a [Record]) -> Self {
        let mut windows: BTreeMap<CheckId, BTreeMap<Recency, Vec<&'a Record>>> = BTreeMap::new();
        for record in records {
            let finding = &record.finding;
            let is_ours = record.system == definition.system.id && record.model == definition.model.version;
            let is_made = definition.makes(finding.check);
            if !is_ours || !is_made {
                continue;
            }
            let of_window = windows
                .entry(finding.check)
                .or_default()
                .entry((finding.window.to(), finding.window.from()))
                .or_default();
            match of_window.first().map(|first| first.run.cmp(&record.run)) {
                Some(std::cmp::Ordering::Greater) => {}
                Some(std::cmp::Ordering::Less) => *of_window = vec![record],
                _ => of_window.push(record),
            }
        }
        for (check, of_check) in &mut windows {
            // Weeks, months and quarters of one check are series of their own; the alert follows the check's.
            let every = definition.cadence(*check);
            let is_own = |records: &Vec<&Record>| {
                records.first().is_some_and(|record| record.finding.window.is_of(every))
            };
            if of_check.values().any(is_own) {
                of_check.retain(|_, records| is_own(records));
            }
        }
        for of_window in windows.values_mut().flat_map(BTreeMap::values_mut) {
            // Within a run the later record about a subject counts; the order of the rest is that of subjects.
            of_window
                .sort_by(|a, b| a.finding.subject.cmp(&b.finding.subject).then_with(|| b.seq.cmp(&a.seq)));
            of_window.dedup_by(|a, b| a.finding.subject == b.finding.subject);
        }
        Self { functions: Arc::new(Env::stdlib()), windows }
    }

    /// The ends of the windows of some checks, ascending.
    pub(super) fn steps(&self, checks: &[CheckId]) -> Vec<Timestamp> {
        let ends: BTreeSet<Timestamp> = checks
            .iter()
            .filter_map(|check| self.windows.get(check))
            .flat_map(|windows| windows.keys().map(|(to, _)| *to))
            .collect();
        ends.into_iter().collect()
    }

    /// How some checks stand at a step; `now` is given at the newest one, where staleness is asked for.
    pub(super) fn at(&self, checks: &[CheckId], step: Timestamp, now: Option<Timestamp>) -> View<'a> {
        let seen = checks.iter().filter_map(|check| {
            let (_, records) = self.windows.get(check)?.range(..=(step, Timestamp::MAX)).next_back()?;
            Some((*check, records.clone()))
        });
        View { functions: Arc::clone(&self.functions), checks: seen.collect(), now }
    }

    /// The windows of a check that lie wholly between two instants, oldest first.
    pub(super) fn between(
        &self,
        check: CheckId,
        since: Timestamp,
        until: Timestamp,
    ) -> Vec<(Window, Vec<&'a Finding>)> {
        let windows = self.windows.get(&check).into_iter().flatten();
        windows
            .filter(|((to, from), _)| since <= *from && *to <= until)
            .filter_map(|(_, records)| {
                let window = records.first()?.finding.window;
                Some((window, records.iter().map(|record| &record.finding).collect()))
            })
            .collect()
    }
}

/// How the checks of a rule stand at one step.
pub(super) struct View<'a> {
    functions: Arc<Env>,
    checks: Vec<(CheckId, Vec<&'a Record>)>,
    now: Option<Timestamp>,
}

impl<'a> View<'a> {
    /// All subjects that any of the checks has a finding about.
    pub(super) fn subjects(&self) -> Vec<&'a Subject> {
        let subjects: BTreeSet<&Subject> = self.findings(None).map(|finding| &finding.subject).collect();
        subjects.into_iter().collect()
    }

    /// The findings, of one subject where it is given.
    pub(super) fn findings(&self, subject: Option<&'a Subject>) -> impl Iterator<Item = &'a Finding> {
        self.records(subject).map(|record| &record.finding)
    }

    fn records(&self, subject: Option<&'a Subject>) -> impl Iterator<Item = &'a Record> {
        let all = self.checks.iter().flat_map(|(_, records)| records.iter().copied());
        all.filter(move |record| subject.is_none_or(|subject| record.finding.subject == *subject))
    }

    /// The records whose time is over, one for each check.
    pub(super) fn stale(&self) -> Vec<&'a Record> {
        let Some(now) = self.now else { return Vec::new() };
        let oldest = |records: &Vec<&'a Record>| {
            records
                .iter()
                .copied()
                .filter(|record| !record.is_fresh(now))
                .min_by_key(|record| record.fresh_until)
        };
        self.checks.iter().filter_map(|(_, records)| oldest(records)).collect()
    }

    /// What a condition sees of one subject, or of all together.
    pub(super) fn context(&self, subject: Option<&'a Subject>) -> Context<'static, 'static> {
        let mut context = Context::with_env(Arc::clone(&self.functions));
        let mut practices: BTreeMap<&str, HashMap<String, Value>> = BTreeMap::new();
        for (check, records) in &self.checks {
            let of_subject: Vec<&Record> = records
                .iter()
                .copied()
                .filter(|record| subject.is_none_or(|subject| record.finding.subject == *subject))
                .collect();
            if of_subject.is_empty() {
                continue;
            }
            let mut object = self.object(&of_subject, subject.is_none());
            object.extend(measures(&of_subject));
            if let Some(record) = of_subject.first() {
                object.insert("window".into(), record.finding.window.to_string().into());
            }
            let object: Value = object.into();
            let name = names::last_name(*check);
            if names::checks_named(name).len() == 1 {
                context.add_variable_from_value(name, object.clone());
            }
            practices.entry(check.practice()).or_default().insert(name.to_owned(), object);
        }
        for (practice, checks) in practices {
            context.add_variable_from_value(practice, checks);
        }
        let all: Vec<&Record> = self.records(subject).collect();
        if !all.is_empty() {
            context.add_variable_from_value(names::ANY, self.object(&all, subject.is_none()));
        }
        context
    }

    /// What is known of some findings beside their measures. Staleness is a matter of a check, not of a subject.
    fn object(&self, records: &[&Record], is_whole: bool) -> HashMap<String, Value> {
        let labels = |verdict: Option<Verdict>| {
            let of_verdict = records
                .iter()
                .filter(|record| verdict.is_none_or(|verdict| record.finding.verdict == verdict));
            let labels: BTreeSet<String> = of_verdict.map(|record| record.finding.subject.label()).collect();
            Value::from(labels.into_iter().collect::<Vec<String>>())
        };
        let worst = Verdict::worst(records.iter().map(|record| record.finding.verdict));
        let mut object: HashMap<String, Value> = HashMap::from([
            ("verdict".into(), worst.unwrap_or(Verdict::Unknown).word().into()),
            ("failed".into(), labels(Some(Verdict::Fail))),
            ("warned".into(), labels(Some(Verdict::Warn))),
            ("unknown".into(), labels(Some(Verdict::Unknown))),
            ("passed".into(), labels(Some(Verdict::Pass))),
            ("subjects".into(), labels(None)),
        ]);
        if is_whole {
            let stale = self.now.is_some_and(|now| records.iter().any(|record| !record.is_fresh(now)));
            object.insert("stale".into(), stale.into());
            object.insert("fresh".into(), (!stale).into());
        }
        object
    }
}

/// Measures by name; where several findings have one, the worst: the smallest of what is better when larger, else
/// the largest.
fn measures(records: &[&Record]) -> HashMap<String, Value> {
    let mut worst: BTreeMap<&str, f64> = BTreeMap::new();
    for measure in records.iter().flat_map(|record| &record.finding.measures) {
        if measure.value.is_nan() {
            continue;
        }
        let higher_is_better = Metric::named(&measure.name).is_some_and(Metric::higher_is_better);
        let so_far = worst.entry(&measure.name).or_insert(measure.value);
        *so_far = if higher_is_better { so_far.min(measure.value) } else { so_far.max(measure.value) };
    }
    worst.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
