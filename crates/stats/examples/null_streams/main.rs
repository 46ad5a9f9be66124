//! Do alarms keep their promise, and how long do they take? A simulation; not a test, because it
//! takes minutes.
//!
//! `cargo run --release -p forewarn-stats --example null_streams [null families] [shifted families] [threads]`
//!
//! A family is 100 columns: 20 normal, 10 lognormal and 10 rounded normal ones, 20 categories each
//! of 5 and 30 values and 10 each of 200 and 5,000 (shares as 1, 1/2, 1/3, …), of which three in four
//! have missing values. Bets are those of `forewarn monitor` ([`streams`]). Each family draws a reference of 4,000 to
//! 50,000 rows and then a window of 500 to 2,000 rows each week; in every other family the columns
//! share most of their variance. First nothing ever changes, for 52 weeks; then 10 of the columns
//! change after 13 quiet weeks, and 52 more follow. Prints Markdown for `docs/benchmarks.md`.

#![expect(clippy::unwrap_used, reason = "a simulation fails by panicking")]

mod columns;
mod family;
mod peers;
mod random;
mod rules;
mod streams;

use columns::Shift;
use family::{Alarms, Plan, run};
use rules::{Rule, rules};

const WEEKS: usize = 52;
const QUIET_WEEKS: usize = 13;
/// Every how many null families the peers look too: they are slower, and need fewer.
const PEERS_EVERY: usize = 10;
const COLUMNS: usize = 100;

fn main() {
    let mut words =
        std::env::args().skip(1).map(|word| word.parse().expect("a number of families or threads"));
    let (null_families, shifted_families) = (words.next().unwrap_or(1_000), words.next().unwrap_or(20));
    let threads = words.next().unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    peers::check_against_the_wheels();
    let rules = rules();
    let null = |number: usize| Plan {
        seed: number as u64,
        shift: Shift::None,
        shifted: (0, 0),
        quiet_weeks: 0,
        weeks: WEEKS,
        with_peers: number.is_multiple_of(PEERS_EVERY),
    };
    let outcomes = run_all(&(0..null_families).map(null).collect::<Vec<Plan>>(), &rules, threads);
    print_null(&rules, &outcomes);
    print_shifted(&rules, shifted_families, threads);
}

/// All plans in their order.
fn run_all(plans: &[Plan], rules: &[Rule], threads: usize) -> Vec<(Plan, Alarms)> {
    let part = plans.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let run_part =
            |plans: &[Plan]| plans.iter().map(|plan| (*plan, run(plan, rules))).collect::<Vec<_>>();
        let parts: Vec<_> = plans.chunks(part).map(|plans| scope.spawn(move || run_part(plans))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

fn print_null(rules: &[Rule], outcomes: &[(Plan, Alarms)]) {
    println!(
        "{} streams in families of {COLUMNS}, {WEEKS} weeks, nothing changes:\n",
        outcomes.len() * COLUMNS
    );
    println!(
        "| rule | families | with a false alarm | 95 % interval | columns with one | alarms per family and week |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    for (index, rule) in rules.iter().enumerate() {
        let seen: Vec<&Alarms> = outcomes
            .iter()
            .filter(|(plan, _)| plan.with_peers || !rule.is_peer())
            .map(|(_, alarms)| alarms)
            .collect();
        let families = seen.len();
        let any = seen.iter().filter(|alarms| alarms.first[index].iter().any(Option::is_some)).count();
        let columns: usize = seen.iter().map(|alarms| alarms.first[index].iter().flatten().count()).sum();
        let all: u64 = seen.iter().map(|alarms| alarms.false_ones[index]).sum();
        let level = stats::interval::Level::P95;
        let proportion = stats::proportion::Proportion::new(any as u64, families as u64).unwrap();
        let interval = proportion.wilson(level);
        println!(
            "| {} | {families} | {:.2} % | {:.2} – {:.2} % | {:.3} % | {:.4} |",
            rule.name(),
            100.0 * any as f64 / families as f64,
            100.0 * interval.lower,
            100.0 * interval.upper,
            100.0 * columns as f64 / (families * COLUMNS) as f64,
            all as f64 / (families * WEEKS) as f64,
        );
    }
}

fn print_shifted(rules: &[Rule], families: usize, threads: usize) {
    let means = [0.05, 0.1, 0.2, 0.5].map(|by| (format!("mean + {by} σ"), Shift::Mean(by), (0, 10)));
    let masses =
        [0.01, 0.03, 0.1].map(|by| (format!("{:.0} % moved", 100.0 * by), Shift::Mass(by), (60, 10)));
    let changes: Vec<_> = means.into_iter().chain(masses).collect();
    let outcomes: Vec<Vec<(Plan, Alarms)>> = changes
        .iter()
        .enumerate()
        .map(|(scenario, &(_, shift, shifted))| {
            let plan = |number: usize| Plan {
                seed: (1_000_000 * (scenario + 1) + number) as u64,
                shift,
                shifted,
                quiet_weeks: QUIET_WEEKS,
                weeks: QUIET_WEEKS + WEEKS,
                with_peers: true,
            };
            run_all(&(0..families).map(plan).collect::<Vec<Plan>>(), rules, threads)
        })
        .collect();
    println!(
        "\n{families} families for each change, 10 of {COLUMNS} columns change after {QUIET_WEEKS} weeks:"
    );
    println!("share of them called within {WEEKS} weeks and, in brackets, median weeks to the first alarm;");
    println!("false discovery rate: mean share of unchanged columns among all called in any week.\n");
    let names: Vec<&str> = changes.iter().map(|(name, ..)| name.as_str()).collect();
    println!("| rule | {} | false discovery rate |", names.join(" | "));
    println!("|---|{}", "--:|".repeat(changes.len() + 1));
    for (index, rule) in rules.iter().enumerate() {
        let cells: Vec<String> = outcomes.iter().map(|outcomes| delays(index, outcomes)).collect();
        let rates = outcomes.iter().flatten().map(|(plan, alarms)| false_share(index, plan, alarms));
        let rate = rates.sum::<f64>() / (families * changes.len()) as f64;
        println!("| {} | {} | {:.2} % |", rule.name(), cells.join(" | "), 100.0 * rate);
    }
}

/// `97 % (3)`: how many changed columns are called, and the median week of those that change.
fn delays(rule: usize, outcomes: &[(Plan, Alarms)]) -> String {
    let mut delays: Vec<Option<usize>> = Vec::new();
    for (plan, alarms) in outcomes {
        let shifted = plan.shifted.0..plan.shifted.0 + plan.shifted.1;
        let weeks = alarms.first_after[rule][shifted].iter();
        delays.extend(weeks.map(|week| week.map(|week| week + 1 - plan.quiet_weeks)));
    }
    let called = delays.iter().flatten().count();
    delays.sort_by_key(|delay| delay.unwrap_or(usize::MAX));
    let median = delays[(delays.len() - 1) / 2].map_or("–".to_owned(), |weeks| weeks.to_string());
    format!("{:.0} % ({median})", 100.0 * called as f64 / delays.len() as f64)
}

/// The share of columns without a change among those with an alarm; 0 where there is no alarm.
fn false_share(rule: usize, plan: &Plan, alarms: &Alarms) -> f64 {
    let called: Vec<usize> = (0..COLUMNS).filter(|&column| alarms.first[rule][column].is_some()).collect();
    let wrong = called.iter().filter(|&&column| !plan.is_shifted(column)).count();
    wrong as f64 / called.len().max(1) as f64
}
