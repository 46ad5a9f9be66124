//! One family: 100 columns with a reference of their own, watched week after week.

use stats::bins::QuantileBins;
use stats::chi_square::{Pooling, chi_square};
use stats::ecdf::Ecdf;
use stats::psi::{Smoothing, psi, psi_expected_no_drift};
use stats::sequential::change_mixture::ChangeMixture;
use stats::sequential::conformal::window_p_value;
use stats::sequential::mixture_martingale::PowerMartingale;

use crate::columns::{Kind, Shift, Source, category_counts, kinds};
use crate::peers::Peers;
use crate::random::Random;
use crate::rules::{Rule, Week, called};

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
    reference: Vec<u64>,
    before: Vec<u64>,
    power: PowerMartingale,
    change: ChangeMixture,
    peers: Option<Peers>,
}

enum Cells {
    Edges(Vec<f64>),
    Categories(usize),
}

impl Cells {
    fn counts(&self, values: &[f64]) -> Vec<u64> {
        match self {
            Cells::Categories(categories) => category_counts(values, *categories),
            Cells::Edges(edges) => {
                let mut counts = vec![0; edges.len() + 1];
                for &x in values {
                    counts[edges.partition_point(|&edge| edge < x)] += 1;
                }
                counts
            }
        }
    }
}

impl Column {
    fn new(
        kind: Kind,
        shared: &[f64],
        chunk: Option<usize>,
        random: &mut Random,
        values: &mut Vec<f64>,
    ) -> Column {
        let source = Source::new(kind);
        source.draw(shared, Shift::None, random, values);
        let categories = if let Kind::Categories(categories) = kind { Some(categories) } else { None };
        let peers = chunk.map(|chunk| Peers::fit(values, categories, chunk));
        let cells = if let Some(categories) = categories {
            Cells::Categories(categories)
        } else {
            let reference = Ecdf::from_values(&mut values.clone()).unwrap();
            Cells::Edges(QuantileBins::from_reference(&reference, 10).unwrap().edges().to_vec())
        };
        let reference = cells.counts(values);
        let before = reference.clone();
        let (power, change) = (PowerMartingale::new(), ChangeMixture::new());
        Column { source, cells, reference, before, power, change, peers }
    }

    fn look(&mut self, values: &[f64]) -> Week {
        let window = self.cells.counts(values);
        let conformal = window_p_value(&self.before, &window).unwrap().p_value;
        self.power.update(conformal).unwrap();
        self.change.update(conformal).unwrap();
        self.before.iter_mut().zip(&window).for_each(|(before, window)| *before += window);
        let psi_value = psi(&self.reference, &window, Smoothing::default()).unwrap();
        let said = self.peers.as_ref().map(|peers| peers.say(values));
        Week {
            p_value: chi_square(&self.reference, &window, Pooling::default())
                .map_or(1.0, |test| test.p_value),
            psi_excess: psi_value - psi_expected_no_drift(&self.reference, &window),
            log_power: self.power.log_e_value(),
            log_change: self.change.log_e_value(),
            log_change_max: self.change.log_e_max,
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
    let chunk = plan.with_peers.then_some(rows);
    let mut columns: Vec<Column> =
        kinds().into_iter().map(|kind| Column::new(kind, &shared, chunk, &mut random, &mut values)).collect();
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
        for (rule, calls) in called(rules, &looks).into_iter().enumerate() {
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
