//! The worst subpopulation against integrals over known risks by SciPy, and what is decided at the edges.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tail_reference;
mod uniform;

use stats::interval::{IntervalMethod, Level};
use stats::learn::{Column, Features, LearnError, MISSING, Options};
use stats::worst_subpopulation::{WorstError, WorstOptions, WorstSubpopulation, worst_subpopulation};
use tail_reference::{cases, numbers};
use uniform::Uniform;

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The same risks as in `make_tail.py`, and whether losses are mistakes.
fn risk(name: &str, x: f64, c: usize) -> (f64, bool) {
    match name {
        "steps and slope" => (1.0 + x + [0.0, 0.5, 2.0][c], false),
        "mistakes" => (logistic(-2.5 + 2.0 * x * x + [0.0, 0.0, 2.0][c]), true),
        "no structure" => (0.2, true),
        "bump" => (0.1 + 0.7 * (-((x - 0.3) / 0.15).powi(2)).exp(), true),
        other => panic!("no such risk: {other}"),
    }
}

/// Rows with a loss whose conditional mean is the risk; the last column is noise.
fn window(name: &str, rows: usize, rng: &mut Uniform) -> (Features, Vec<f64>) {
    let (mut numbers, mut codes, mut noise, mut losses) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rows {
        let [x, u, v, z] = rng.many();
        let c = if u < 0.7 { 0 } else { 1 + usize::from(u >= 0.9) };
        let (risk, mistake) = risk(name, x, c);
        losses.push(if mistake { f64::from(u8::from(v < risk)) } else { risk * 2.0 * v });
        numbers.push(x);
        codes.push(c as u32);
        noise.push(z);
    }
    let categories = Column::Categorical { codes, cardinality: 3 };
    let columns = vec![Column::Numeric(numbers), categories, Column::Numeric(noise)];
    (Features::new(columns).unwrap(), losses)
}

fn worst(features: &Features, losses: &[f64], alphas: &[f64], rng: &mut Uniform) -> WorstSubpopulation {
    worst_subpopulation(features, losses, alphas, &WorstOptions::default(), Level::P95, rng).unwrap()
}

#[test]
#[ignore = "prints"]
fn probe() {
    let runs: u32 = std::env::var("RUNS").map_or(100, |r| r.parse().unwrap());
    let rows: usize = std::env::var("ROWS").map_or(2000, |r| r.parse().unwrap());
    for case in cases("worst_subpopulation") {
        let name = case["name"].as_str().unwrap();
        let (alphas, truths) = (numbers(&case["alphas"]), numbers(&case["worst"]));
        let k = alphas.len();
        let (mut two, mut up, mut low, mut bias, mut se, mut sq, mut plug) =
            (vec![0.0; k], vec![0.0; k], vec![0.0; k], vec![0.0; k], vec![0.0; k], vec![0.0; k], vec![0.0; k]);
        let mut rng = Uniform(7);
        for _ in 0..runs {
            let (f, l) = window(name, rows, &mut rng);
            let found = worst(&f, &l, &alphas, &mut rng);
            for (i, p) in found.points.iter().enumerate() {
                let w = 1.0 / f64::from(runs);
                two[i] += w * f64::from(u8::from(p.interval.contains(truths[i])));
                up[i] += w * f64::from(u8::from(p.upper_one_sided >= truths[i]));
                low[i] += w * f64::from(u8::from(p.interval.lower <= truths[i]));
                bias[i] += w * (p.value - truths[i]);
                sq[i] += w * (p.value - truths[i]).powi(2);
                se[i] += w * p.standard_error;
                plug[i] += w * (p.plug_in - truths[i]);
            }
        }
        println!("{name} truth {truths:.3?}\n two {two:.3?}\n up  {up:.3?}\n low {low:.3?}\n bias {bias:.4?}\n rmse {:.4?}\n se  {se:.4?}\n plug {plug:.4?}", sq.iter().map(|s| s.sqrt()).collect::<Vec<_>>());
    }
}
