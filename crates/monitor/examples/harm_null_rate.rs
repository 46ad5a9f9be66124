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
    harm: f64,
}

const CASES: [Case; 8] = [
    Case { name: "independent days", correlation: 0.0, tolerance: 0.02, harm: 0.0 },
    Case { name: "independent days, hardly a tolerance", correlation: 0.0, tolerance: 0.001, harm: 0.0 },
    Case { name: "as alike as in the flights", correlation: 0.45, tolerance: 0.02, harm: 0.0 },
    Case { name: "as in the flights, hardly a tolerance", correlation: 0.45, tolerance: 0.001, harm: 0.0 },
    Case { name: "much alike, hardly a tolerance", correlation: 0.8, tolerance: 0.001, harm: 0.0 },
    Case { name: "as in the flights, loss at the tolerance", correlation: 0.45, tolerance: 0.02, harm: 0.02 },
    Case { name: "as in the flights, loss 0.06 higher", correlation: 0.45, tolerance: 0.02, harm: 0.06 },
    Case { name: "as in the flights, loss 0.12 higher", correlation: 0.45, tolerance: 0.02, harm: 0.12 },
];

fn main() {
    println!("| days | tolerance | rise | ever called harm | median month |");
    println!("|---|--:|--:|--:|--:|");
    for (at, case) in CASES.iter().enumerate() {
        let definition = defined(case.tolerance);
        let windows = windows(&definition);
        let mut months: Vec<usize> =
            (0..SYSTEMS).filter_map(|system| first_alarm(&definition, &windows, case, system)).collect();
        months.sort_unstable();
        let share = 100.0 * months.len() as f64 / SYSTEMS as f64;
        let median = months.get(SYSTEMS / 2).map_or("–".to_owned(), |month| (month + 1).to_string());
        let Case { name, tolerance, harm, .. } = case;
        println!("| {}. {name} | {tolerance} | {harm} | {share:.2} % | {median} |", at + 1);
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
    for (month, window) in windows.iter().enumerate() {
        let mut answers = Answers::default();
        tell(&mut answers, definition.reference.window, reference.clone());
        tell(&mut answers, *window, days.next(DAYS, case.harm));
        let finding = judged(definition, *window, &history, &answers);
        if finding.sequential.as_ref().unwrap().adjusted <= definition.monitor.performance.false_alarms {
            return Some(month);
        }
        history.add(Cadence::Month, &finding);
    }
    None
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
    answers.insert(Question::DailyLosses { window }, Answer::DailyLosses(days));
}

struct Days {
    rng: Seeded,
    correlation: f64,
    last: f64,
}

impl Days {
    fn next(&mut self, count: usize, harm: f64) -> Vec<DayLosses> {
        (0..count)
            .map(|day| {
                let fresh = (1.0 - self.correlation.powi(2)).sqrt() * self.rng.normal();
                self.last = self.correlation * self.last + fresh;
                let loss = (1.0 / (1.0 + (1.65 - 0.36 * self.last).exp()) + harm).min(1.0);
                DayLosses { day: day as i64, rows: ROWS, squared: loss * ROWS as f64, wrong: 0 }
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
