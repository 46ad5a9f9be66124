//! One family: 100 columns with a reference of their own, watched week after week.

use stats::bins::QuantileBins;
use stats::chi_square::{Pooling, chi_square};
use stats::ecdf::Ecdf;
use stats::sequential::conformal::rare_bins_together;

use crate::columns::{Kind, Shift, Source, category_counts, kinds};
use crate::peers::Peers;
use crate::random::Random;
use crate::rules::{Rule, Week, called};
use crate::streams::{Sample, Streams};

/// What to simulate.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) shift: Shift,
    /// The first and the number of the shifted columns.
    pub(crate) shifted: (usize, usize),
    /// Quiet weeks before the shift.
    pub(crate) quiet_weeks: usize,
    pub(crate) weeks: usize,
    pub(crate) with_peers: bool,
}

impl Plan {
    pub(crate) fn is_shifted(&self, column: usize) -> bool {
        (self.shifted.0..self.shifted.0 + self.shifted.1).contains(&column)
    }
}

/// For each rule and column, the first week with an alarm: at all, and from the shift on.
pub(crate) struct Alarms {
    pub(crate) first: Vec<Vec<Option<usize>>>,
    pub(crate) first_after: Vec<Vec<Option<usize>>>,
    /// Alarms of all weeks and columns that have not shifted, for each rule.
    pub(crate) false_ones: Vec<u64>,
}

struct Column {
    source: Source,
    cells: Cells,
    reference: Sample,
    streams: Streams,
    peers: Option<Peers>,
}

enum Cells {
    Edges(Vec<f64>),
    Categories(usize),
}

impl Cells {
    fn sample(&self, values: &[f64]) -> Sample {
        let present = present(values);
        let missing = (values.len() - present.len()) as u64;
        let counts = match self {
            Cells::Categories(categories) => category_counts(&present, *categories),
            Cells::Edges(edges) => {
                let mut counts = vec![0; edges.len() + 1];
                for x in present {
                    counts[edges.partition_point(|&edge| edge < x)] += 1;
                }
                counts
            }
        };
        Sample { missing, counts }
    }
}

fn present(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| !value.is_nan()).collect()
}

impl Column {
    /// `rows`: of each later window.
    fn new(
        (number, kind): (usize, Kind),
        shared: &[f64],
        (rows, with_peers): (usize, bool),
        random: &mut Random,
        values: &mut Vec<f64>,
    ) -> Column {
        let source = Source::new(kind, number);
        source.draw(shared, Shift::None, random, values);
        let categories = if let Kind::Categories(categories) = kind { Some(categories) } else { None };
        // The peers see rows with a value.
        let peers = with_peers.then(|| Peers::fit(&present(values), categories, rows));
        let cells = if let Some(categories) = categories {
            Cells::Categories(categories)
        } else {
            let reference = Ecdf::from_values(&mut present(values)).unwrap();
            Cells::Edges(QuantileBins::from_reference(&reference, 10).unwrap().edges().to_vec())
        };
        let reference = cells.sample(values);
        let windows: Vec<Sample> = values.chunks_exact(rows).map(|window| cells.sample(window)).collect();
        let streams = Streams::new(reference.clone(), windows, categories.is_some());
        Column { source, cells, reference, streams, peers }
    }

    fn look(&mut self, values: &[f64]) -> Week {
        let window = self.cells.sample(values);
        let said = self.peers.as_ref().map(|peers| peers.say(&present(values)));
        let (before, now) = rare_bins_together(&self.reference.counts, &window.counts).unwrap();
        Week {
            p_value: chi_square(&before, &now, Pooling::default()).map_or(1.0, |test| test.p_value),
            capitals: self.streams.bet(&window),
            window,
            evidently: said.as_ref().is_some_and(|said| said.evidently_alarms),
            nannyml: said.as_ref().is_some_and(|said| said.nannyml_alarms),
        }
    }
}

/// Runs one family. Every other one has columns with a common part.
pub(crate) fn run(plan: &Plan, rules: &[Rule]) -> Alarms {
    let mut random = Random::seeded(plan.seed);
    let dependent = plan.seed % 2 == 1;
    let reference_rows = (4_000.0 * 12.5_f64.powf(random.uniform())) as usize;
    let rows = 500 + (1_501.0 * random.uniform()) as usize;
    let mut shared = Vec::new();
    let fill = |rows: usize, random: &mut Random, shared: &mut Vec<f64>| {
        shared.clear();
        shared.extend((0..rows).map(|_| if dependent { random.normal() } else { f64::NAN }));
    };
    let mut values = Vec::new();
    fill(reference_rows, &mut random, &mut shared);
    let looked = (rows, plan.with_peers);
    let mut columns: Vec<Column> = kinds()
        .into_iter()
        .enumerate()
        .map(|kind| Column::new(kind, &shared, looked, &mut random, &mut values))
        .collect();
    let nothing = || vec![vec![None; columns.len()]; rules.len()];
    let mut alarms = Alarms { first: nothing(), first_after: nothing(), false_ones: vec![0; rules.len()] };
    for week in 0..plan.weeks {
        fill(rows, &mut random, &mut shared);
        let mut looks = Vec::new();
        for (number, column) in columns.iter_mut().enumerate() {
            let shifts = week >= plan.quiet_weeks && plan.is_shifted(number);
            let shift = if shifts { plan.shift } else { Shift::None };
            column.source.draw(&shared, shift, &mut random, &mut values);
            looks.push(column.look(&values));
        }
        let psi_news = |column: usize| columns[column].streams.psi_news(&looks[column].window);
        for (rule, calls) in called(rules, &looks, psi_news).into_iter().enumerate() {
            for column in (0..columns.len()).filter(|&column| calls[column]) {
                alarms.first[rule][column].get_or_insert(week);
                if week >= plan.quiet_weeks {
                    alarms.first_after[rule][column].get_or_insert(week);
                }
                if week < plan.quiet_weeks || !plan.is_shifted(column) {
                    alarms.false_ones[rule] += 1;
                }
            }
        }
    }
    alarms
}
