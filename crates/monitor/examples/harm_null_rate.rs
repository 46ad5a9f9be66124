//! How often `monitor.performance` calls a model harmfully worse that is not, and how soon one that is.
//!
//! Generated logs, judged month after month exactly as `forewarn monitor` does: 120 days of reference, then
//! up to 24 months of 30 days. A day's mean loss is the logistic function of a normal that depends on the day
//! before (first-order autoregression), with mean 0.17 and standard deviation 0.05, as in the flights
//! example. Seeded, so that the table comes out the same.
//!
//! `cargo run --release -p forewarn-monitor --example harm_null_rate`

#![expect(clippy::unwrap_used, reason = "a simulation fails by panicking")]
#![expect(clippy::print_stdout, reason = "its table is its result")]

use monitor::History;
use monitor::performance::{PerformanceScope, judge};
use rand_core::RngCore;
use stats::labelled_scores::LabelledScores;
use stats::sketch::{Fidelity, NumericProfile, Profile};
use types::answer::{Coverage, DayLosses, ScoredGroup};
use types::definition::Cadence;
use types::{Answer, Answers, Definition, Finding, Question, Schema, Window, definition};

const SYSTEMS: usize = 2000;
const MONTHS: usize = 24;
const REFERENCE_DAYS: usize = 120;
const DAYS: usize = 30;
const ROWS: u64 = 1000;

/// What is simulated: how much days depend on the day before, and by how much their loss rises.
struct Case {
    name: &'static str,
    correlation: f64,
    tolerance: f64,
    rise: Rise,
}

#[derive(Clone, Copy)]
enum Rise {
    By(f64),
    /// Days lose on average exactly what the bound of their system is, so that it is nearly harm.
    ToTheBound,
}

const CASES: [Case; 9] = [
    Case { name: "independent", correlation: 0.0, tolerance: 0.01, rise: Rise::By(0.0) },
    Case { name: "independent", correlation: 0.0, tolerance: 0.01, rise: Rise::By(0.01) },
    Case { name: "independent", correlation: 0.0, tolerance: 0.01, rise: Rise::ToTheBound },
    Case { name: "correlation 0.45", correlation: 0.45, tolerance: 0.01, rise: Rise::By(0.01) },
    Case { name: "correlation 0.45", correlation: 0.45, tolerance: 0.01, rise: Rise::ToTheBound },
    Case { name: "correlation 0.8", correlation: 0.8, tolerance: 0.01, rise: Rise::By(0.01) },
    Case { name: "correlation 0.8", correlation: 0.8, tolerance: 0.01, rise: Rise::ToTheBound },
    Case { name: "correlation 0.45", correlation: 0.45, tolerance: 0.01, rise: Rise::By(0.06) },
    Case { name: "correlation 0.45", correlation: 0.45, tolerance: 0.01, rise: Rise::By(0.12) },
];

/// The mean of `logistic(INTERCEPT + SLOPE z)` over standard normal `z`.
fn mean_loss() -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for step in -8000..=8000 {
        let z = f64::from(step) / 1000.0;
        let weight = (-z * z / 2.0).exp();
        sum += weight * loss(z);
        weights += weight;
    }
    sum / weights
}

const INTERCEPT: f64 = -1.65;
const SLOPE: f64 = 0.36;

fn loss(z: f64) -> f64 {
    1.0 / (1.0 + (-INTERCEPT - SLOPE * z).exp())
}

fn main() {
    println!("| days | loss rises by | ever called harm | median month |");
    println!("|---|--:|--:|--:|");
    for case in &CASES {
        let definition = defined(case.tolerance);
        let windows = windows(&definition);
        let mut months: Vec<usize> =
            (0..SYSTEMS).filter_map(|system| first_alarm(&definition, &windows, case, system)).collect();
        months.sort_unstable();
        let share = 100.0 * months.len() as f64 / SYSTEMS as f64;
        let median = months.get(SYSTEMS / 2).map_or("–".to_owned(), |month| (month + 1).to_string());
        let rise = match case.rise {
            Rise::By(rise) => rise.to_string(),
            Rise::ToTheBound => "to the bound".to_owned(),
        };
        println!("| {} | {rise} | {share:.2} % | {median} |", case.name);
    }
}

fn defined(tolerance: f64) -> Definition {
    let text = format!(
        "[log]\npath = \"log.parquet\"\ntime = \"t\"\nscore = \"p\"\nfeatures = []\noutcome = {{ column = \"y\" }}\n\
         [reference]\nwindow = \"2013-01-01/2013-05-01\"\n[monitor.performance]\ntolerance = {tolerance}\n"
    );
    definition::parse(&text).unwrap()
}

fn windows(definition: &Definition) -> Vec<Window> {
    let from = definition.reference.window.to();
    let until = from + jiff::SignedDuration::from_hours(24 * 31 * (MONTHS as i64 + 1));
    Window::of_cadence(Cadence::Month, from, until).into_iter().take(MONTHS).collect()
}

/// The month of the first alarm; `None` where there is none.
fn first_alarm(definition: &Definition, windows: &[Window], case: &Case, system: usize) -> Option<usize> {
    let mut days = Days { rng: Seeded(system as u64), correlation: case.correlation, last: 0.0 };
    days.last = days.rng.normal();
    let reference = days.next(REFERENCE_DAYS, 0.0);
    let mut history = History::default();
    let judged_month = |window: Window, days: Vec<DayLosses>, history: &History| {
        let mut answers = Answers::default();
        tell(&mut answers, definition.reference.window, reference.clone());
        tell(&mut answers, window, days);
        judged(definition, window, history, &answers)
    };
    let rise = match case.rise {
        Rise::By(rise) => rise,
        Rise::ToTheBound => bound(&judged_month(windows[0], reference.clone(), &history)) - mean_loss(),
    };
    for (month, window) in windows.iter().enumerate() {
        let finding = judged_month(*window, days.next(DAYS, rise), &history);
        if finding.sequential.as_ref().unwrap().adjusted <= definition.monitor.performance.false_alarms {
            return Some(month);
        }
        history.add(Cadence::Month, &finding);
    }
    None
}

fn bound(finding: &Finding) -> f64 {
    let limit = finding.thresholds.iter().find(|limit| limit.measure == "mean_daily_loss").unwrap();
    limit.at_most.unwrap()
}

fn judged(definition: &Definition, window: Window, history: &History, answers: &Answers) -> Finding {
    let schema = Schema::default();
    let as_of = window.to() + jiff::SignedDuration::from_hours(24 * 365);
    let scope = PerformanceScope { definition, schema: &schema, window, as_of, history };
    judge(scope, answers, &mut Seeded(1)).unwrap()
}

/// Answers about a window of which all outcomes are known.
fn tell(answers: &mut Answers, window: Window, days: Vec<DayLosses>) {
    let scores = LabelledScores::from_counts(vec![(0.2, 200, 800), (0.8, 800, 200)], None).unwrap();
    let group = ScoredGroup { value: None, scores, invalid_scores: 0 };
    answers.insert(Question::ScoredOutcomes { by: None, window }, Answer::ScoredOutcomes(vec![group]));
    let coverage = Coverage { predictions: 2000, with_outcome: 2000, ..Coverage::default() };
    answers.insert(Question::Coverage { orphans: false, window }, Answer::Coverage(coverage));
    let delays = Profile::Numeric(NumericProfile::new(Fidelity::Exact));
    answers.insert(Question::Delays { window }, Answer::Profile(delays));
    answers.insert(Question::DailyLosses { largest_error: None, window }, Answer::DailyLosses(days));
}

struct Days {
    rng: Seeded,
    correlation: f64,
    last: f64,
}

impl Days {
    fn next(&mut self, count: usize, rise: f64) -> Vec<DayLosses> {
        (0..count)
            .map(|day| {
                let fresh = (1.0 - self.correlation.powi(2)).sqrt() * self.rng.normal();
                self.last = self.correlation * self.last + fresh;
                let loss = (loss(self.last) + rise).clamp(0.0, 1.0);
                DayLosses { day: day as i64, rows: ROWS, graded: loss * ROWS as f64, wrong: 0 }
            })
            .collect()
    }
}

/// Steele, Lea & Flood's SplitMix64.
struct Seeded(u64);

impl Seeded {
    fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

impl RngCore for Seeded {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}
