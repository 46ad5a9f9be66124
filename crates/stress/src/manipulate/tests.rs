//! Searches against models whose cheapest change is known, and against random ones.

use std::convert::Infallible;

use proptest::prelude::*;
use types::batch::BatchColumn;
use types::batch::Values::{self, Booleans, Integers, Numbers, Texts};

use super::constraints::{Direction, Lever};
use super::*;

fn batch(columns: Vec<(&str, Values)>) -> Batch {
    let of = |(name, values): (&str, Values)| BatchColumn { name: name.into(), values };
    Batch::new(columns.into_iter().map(of).collect()).unwrap()
}

fn numbers(values: &[f64]) -> Values {
    Numbers(values.iter().copied().map(Some).collect())
}

/// A uniform number of [0, 1) that follows from a position.
fn scattered(at: usize) -> f64 {
    let mut rng = SplitMix64::new(at as u64);
    stats::random::uniform(&mut rng)
}

/// A model of the numbers of each row.
fn of_numbers(weigh: impl Fn(&[f64]) -> f64) -> impl FnMut(&Batch) -> Result<Vec<Option<f64>>, Infallible> {
    move |batch| {
        let row = |row: usize| -> Vec<f64> {
            batch.columns().iter().map(|column| column.values.number(row).unwrap_or(0.0)).collect()
        };
        Ok((0..batch.rows()).map(|at| Some(weigh(&row(at)))).collect())
    }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Rows of four numbers of [0, 1).
fn four(rows: usize, seed: usize) -> Batch {
    let column = |at: usize| (0..rows).map(|row| scattered(seed * 1000 + row * 4 + at)).collect::<Vec<f64>>();
    batch(NAMES.iter().enumerate().map(|(at, name)| (*name, numbers(&column(at)))).collect())
}

/// Every feature from 0 to 1 at a cost of 1 per unit.
fn free() -> Constraints {
    let lever =
        |name: &&str| Lever { least: Some(0.0), most: Some(1.0), cost: Some(1.0), ..Lever::of(*name) };
    Constraints { levers: NAMES.iter().map(lever).collect(), relations: Vec::new() }
}

fn flipped(case: &CaseFound) -> Option<&Counterexample> {
    match &case.outcome {
        Outcome::Flipped(change) => Some(change),
        _ => None,
    }
}

/// The least cost to bring a linear score beyond 0: the most effective feature first, as far as it goes.
fn linear_optimum(row: &[f64], weights: &[f64], bias: f64) -> Option<f64> {
    let score = row.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>() + bias;
    let sign = if score >= 0.0 { -1.0 } else { 1.0 };
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| weights[b].abs().total_cmp(&weights[a].abs()));
    let (mut gap, mut cost) = (score.abs(), 0.0);
    for at in order {
        let room = if weights[at] * sign > 0.0 { 1.0 - row[at] } else { row[at] };
        let used = room.min(gap / weights[at].abs());
        cost += used;
        gap -= used * weights[at].abs();
        if gap <= 1e-12 {
            return Some(cost);
        }
    }
    None
}

/// The share of cases that are flipped, and how many times the least cost the median and the worst change take.
fn linear_share_and_excess(is_decision_only: bool) -> (f64, f64, f64) {
    let (cases, data) = (four(40, 1), four(200, 2));
    let weights = [1.0, -0.7, 0.3, 0.1];
    let bias = -0.2;
    let model = |row: &[f64]| {
        let score: f64 = row.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>() + bias;
        if is_decision_only { f64::from(u8::from(score >= 0.0)) } else { score + 0.5 }
    };
    let settings = Settings { budget: 2.0, ..Settings::default() };
    let goal = Goal::Flip { threshold: 0.5 };
    let found = search((&cases, &data), &free(), goal, &settings, 1, &mut of_numbers(model)).unwrap();
    assert_eq!(found.is_decision_only, is_decision_only);
    let mut excess = Vec::new();
    for case in &found.cases {
        let row: Vec<f64> =
            cases.columns().iter().map(|column| column.values.number(case.case).unwrap()).collect();
        let optimum = linear_optimum(&row, &weights, bias).unwrap();
        assert!(case.queries <= settings.queries);
        if let Some(change) = flipped(case) {
            assert!(change.cost > optimum - 1e-9, "no change can be cheaper: {} {optimum}", change.cost);
            excess.push(change.cost / optimum);
        }
    }
    excess.sort_by(f64::total_cmp);
    (excess.len() as f64 / found.cases.len() as f64, excess[excess.len() / 2], excess[excess.len() - 1])
}

#[test]
fn the_cheapest_change_of_a_linear_model_is_found_nearly() {
    let (share, median, worst) = linear_share_and_excess(false);
    assert!(share == 1.0 && median < 1.05 && worst < 1.5, "{share} {median} {worst}");
}

#[test]
fn decisions_alone_are_enough() {
    let (share, median, worst) = linear_share_and_excess(true);
    assert!(share == 1.0 && median < 1.05 && worst < 1.5, "{share} {median} {worst}");
}

/// A model of the numbers of one row.
type OfRow<'a> = &'a dyn Fn(&[f64]) -> f64;

/// The least cost of a change of `a` and `b` in steps that flips a decision, by trying all.
fn exhaustive(model: OfRow<'_>, row: &[f64], step: f64) -> Option<f64> {
    let is_yes = model(row) >= 0.5;
    let moves = |from: f64| {
        let steps = (-100..=100).map(move |steps| from + f64::from(steps) * step);
        steps.filter(|to| (0.0..=1.0).contains(to)).collect::<Vec<f64>>()
    };
    let mut least: Option<f64> = None;
    for a in moves(row[0]) {
        for b in moves(row[1]) {
            let cost = (a - row[0]).abs() + (b - row[1]).abs();
            if (model(&[a, b, row[2], row[3]]) >= 0.5) != is_yes && least.is_none_or(|least| cost < least) {
                least = Some(cost);
            }
        }
    }
    least
}

#[test]
fn nearly_the_cheapest_change_of_all_is_found_where_features_act_together() {
    let product = |row: &[f64]| 0.5 + row[0] * row[1] - 0.3;
    let tree = |row: &[f64]| match (row[0] > 0.6, row[1] > 0.3, row[2] > 0.5) {
        (true, true, _) | (_, false, true) => 0.8,
        (true, false, _) => 0.45,
        _ => 0.2,
    };
    let ring = |row: &[f64]| 1.0 - (row[0] - 0.5).hypot(row[1] - 0.5) * 1.4;
    let models: [OfRow<'_>; 3] = [&product, &tree, &ring];
    let mut constraints = free();
    constraints.levers.truncate(2);
    constraints.levers.iter_mut().for_each(|lever| lever.step = Some(0.02));
    for (at, model) in models.into_iter().enumerate() {
        let (cases, data) = (four(40, 7), four(200, 8));
        let (goal, settings) =
            (Goal::Flip { threshold: 0.5 }, Settings { budget: 2.0, ..Settings::default() });
        let found =
            search((&cases, &data), &constraints, goal, &settings, 1, &mut of_numbers(model)).unwrap();
        let mut excess = Vec::new();
        for case in &found.cases {
            let row: Vec<f64> =
                cases.columns().iter().map(|column| column.values.number(case.case).unwrap()).collect();
            let least = exhaustive(model, &row, 0.02);
            assert_eq!(least.is_some(), flipped(case).is_some(), "model {at}, case {}", case.case);
            excess.extend(least.zip(flipped(case)).map(|(least, change)| change.cost / least));
        }
        excess.sort_by(f64::total_cmp);
        let (median, worst) = (excess[excess.len() / 2], excess[excess.len() - 1]);
        assert!(median < 1.1 && worst < 2.0, "model {at}: {median} {worst}");
    }
}

/// Income raised, category changed, debts at most the total.
fn credit() -> (Batch, Batch) {
    let row = |rows: usize| {
        batch(vec![
            ("income", Integers((0..rows).map(|at| Some(1000 + (scattered(at) * 4000.0) as i64)).collect())),
            ("home", Texts((0..rows).map(|at| Some(["rent", "own"][at % 2].to_owned())).collect())),
            ("open", Integers((0..rows).map(|at| Some((at % 5) as i64)).collect())),
            ("total", Integers((0..rows).map(|at| Some((at % 7).max(at % 5) as i64)).collect())),
            ("owes", Booleans((0..rows).map(|at| Some(at % 3 == 0)).collect())),
        ])
    };
    (row(30), row(200))
}

fn credit_score(batch: &Batch) -> Vec<Option<f64>> {
    let number = |name: &str, row: usize| batch.column(name).unwrap().number(row).unwrap();
    let text = |name: &str, row: usize| batch.column(name).unwrap().text(row).unwrap();
    let score = |row: usize| {
        let home = f64::from(u8::from(text("home", row) == "own"));
        let owes = f64::from(u8::from(text("owes", row) == "true"));
        let z = number("income", row) / 1000.0 - 4.0 + 0.6 * home - 0.5 * owes
            + 0.2 * (number("total", row) - number("open", row));
        Some(1.0 / (1.0 + (-z).exp()))
    };
    (0..batch.rows()).map(score).collect()
}

fn credit_constraints() -> Constraints {
    Constraints {
        levers: vec![
            Lever { direction: Direction::Up, step: Some(50.0), most: Some(6000.0), ..Lever::of("income") },
            Lever { cost: Some(0.4), ..Lever::of("home") },
            Lever { direction: Direction::Down, ..Lever::of("total") },
            Lever::of("open"),
            Lever::of("owes"),
        ],
        relations: vec!["open <= total".parse().unwrap(), "open >= 0".parse().unwrap()],
    }
}

#[test]
fn changes_keep_every_constraint_and_are_told_in_words_and_numbers() {
    let (cases, data) = credit();
    let settings = Settings { budget: 1.5, ..Settings::default() };
    let goal = Goal::Flip { threshold: 0.5 };
    let mut model = |batch: &Batch| Ok::<_, Infallible>(credit_score(batch));
    let found = search((&cases, &data), &credit_constraints(), goal, &settings, 3, &mut model).unwrap();
    let number = |name: &str, row: usize| cases.column(name).unwrap().number(row).unwrap();
    for case in &found.cases {
        let Some(counterexample) = flipped(case) else { continue };
        let (mut open, mut total) = (number("open", case.case), number("total", case.case));
        for change in &counterexample.changes {
            let to = change.to.parse::<f64>();
            match change.feature.as_str() {
                "income" => {
                    let by = change.by.unwrap();
                    assert!(by > 0.0 && by % 50.0 == 0.0 && to.unwrap() <= 6000.0, "{change:?}");
                    assert!((change.by_share.unwrap() - by / number("income", case.case)).abs() < 1e-12);
                }
                "home" => assert!(change.from != change.to && change.cost == 0.4, "{change:?}"),
                "total" => total = to.unwrap(),
                "open" => open = to.unwrap(),
                _ => assert!(change.by.is_none() && change.to != change.from),
            }
        }
        assert!(0.0 <= open && open <= total && total <= number("total", case.case));
        assert!(counterexample.cost <= 1.5 && (counterexample.score >= 0.5) != (case.score.unwrap() >= 0.5));
    }
    let summary = summary(&found, &[], 1);
    assert_eq!((summary.searched, summary.skipped, summary.curve.len()), (30, 0, 20));
    assert!(summary.curve.windows(2).all(|pair| pair[0].1.value <= pair[1].1.value));
    assert_eq!(summary.curve[19].1, summary.flipped.unwrap());
    let income = summary.levers.iter().find(|lever| lever.feature == "income").unwrap();
    assert!(income.up > 0 && income.down == 0 && income.median_change.unwrap() >= 50.0, "{income:?}");
    assert!(income.alone.value <= income.used.value);
    assert!(summary.median_cost.unwrap().interval.contains(summary.median_cost.unwrap().value));
}

#[test]
fn a_score_is_moved_by_as_much_as_was_asked_for() {
    let (cases, data) = (four(20, 3), four(100, 4));
    for by in [0.3, -0.3] {
        let mut model = of_numbers(|row| row[0] + 0.5 * row[1]);
        let settings = Settings::default();
        let found = search((&cases, &data), &free(), Goal::Move { by }, &settings, 1, &mut model).unwrap();
        for case in &found.cases {
            if let Some(change) = flipped(case) {
                let moved = change.score - case.score.unwrap();
                assert!(moved / by >= 1.0 - 1e-9 && moved / by < 1.2, "{moved}");
            }
        }
        assert!(found.cases.iter().filter(|case| flipped(case).is_some()).count() > 15);
    }
}

#[track_caller]
fn refused(constraints: &Constraints, expected: &str) {
    let (cases, data) = credit();
    let mut model = |batch: &Batch| Ok::<_, Infallible>(credit_score(batch));
    let goal = Goal::Flip { threshold: 0.5 };
    let error = search((&cases, &data), constraints, goal, &Settings::default(), 1, &mut model).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn of_lever(lever: Lever) -> Constraints {
    Constraints { levers: vec![lever], relations: Vec::new() }
}

#[test]
fn constraints_that_leave_nothing_to_try_are_refused_in_words() {
    refused(&Constraints::default(), "no feature may be changed: name one under `levers`");
    refused(
        &of_lever(Lever::of("incom")),
        "there is no feature `incom` (has: income, home, open, total, owes)",
    );
    let range = Lever { least: Some(5.0), most: Some(4.0), ..Lever::of("open") };
    refused(&of_lever(range), "`open` must be at least 5 and at most 4: no value is");
    let step = |step| Lever { step: Some(step), ..Lever::of("open") };
    refused(&of_lever(step(0.0)), "`open` has a step of 0: it must be a number above 0");
    refused(&of_lever(step(0.5)), "`open` holds whole numbers, and 0.5 is no whole step");
    let at_bound =
        Lever { direction: Direction::Up, most: Some(0.0), least: Some(-1.0), ..Lever::of("open") };
    refused(
        &of_lever(at_bound),
        "nothing can be changed in any case: every lever is at its bound, has no value, or costs too much",
    );
    let related =
        |text: &str| Constraints { levers: vec![Lever::of("open")], relations: vec![text.parse().unwrap()] };
    refused(&related("open > 99"), "no case fulfils `open > 99` before any change");
    refused(&related("home < 3"), "`home` does not hold numbers, which `home < 3` compares");
    let twice = Constraints { levers: vec![Lever::of("open"), Lever::of("open")], relations: Vec::new() };
    refused(&twice, "`open` is named twice among the levers");
}

#[test]
fn a_model_that_fails_or_answers_too_few_is_an_error() {
    let (cases, data) = (four(2, 1), four(2, 2));
    let goal = Goal::Flip { threshold: 0.5 };
    let settings = Settings::default();
    let mut down = |_: &Batch| Err::<Vec<Option<f64>>, _>("it is down");
    let error = search((&cases, &data), &free(), goal, &settings, 1, &mut down).unwrap_err();
    assert_eq!(error.to_string(), "the model could not be asked: it is down");
    let mut short = |_: &Batch| Ok::<_, Infallible>(vec![Some(0.1)]);
    let error = search((&cases, &data), &free(), goal, &settings, 1, &mut short).unwrap_err();
    assert_eq!(error, SearchError::AnswersDiffer { asked: 2, answered: 1 });
}

#[test]
fn a_flip_that_does_not_happen_again_is_none() {
    let (cases, data) = (four(4, 1), four(20, 2));
    let mut calls = 0_u64;
    let mut moody = |batch: &Batch| {
        calls += 1;
        Ok::<_, Infallible>(vec![Some(if calls == 3 { 0.9 } else { 0.1 }); batch.rows()])
    };
    let goal = Goal::Flip { threshold: 0.5 };
    let found = search((&cases, &data), &free(), goal, &Settings::default(), 1, &mut moody).unwrap();
    assert!(found.cases.iter().all(|case| matches!(case.outcome, Outcome::Skipped { .. })), "{found:?}");
}

/// A model that is linear, a tree, or without any structure.
fn some_model() -> impl Strategy<Value = (u8, [f64; 4], usize)> {
    (0_u8..4, proptest::array::uniform4(-1.0..1.0), 0_usize..1000)
}

fn answer((kind, weights, seed): (u8, [f64; 4], usize), row: &[f64]) -> f64 {
    let linear: f64 = row.iter().zip(weights).map(|(value, weight)| (value - 0.5) * weight).sum();
    match kind {
        0 => 0.5 + linear / 4.0,
        1 => f64::from(u8::from(linear >= 0.0)),
        2 => (0..4).map(|at| if row[at] > weights[at].abs() { 0.25 } else { 0.0 }).sum(),
        _ => scattered(seed + row.iter().map(|value| (value * 50.0) as usize).sum::<usize>()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_change_is_legal_within_the_budget_and_flips(
        of in some_model(), budget in 0.05..2.0, queries in 1_u64..200, seed: u64, step in 0.01..0.2,
    ) {
        let (cases, data) = (four(6, 5), four(40, 6));
        let mut constraints = free();
        constraints.levers[0].direction = Direction::Up;
        constraints.levers[1].step = Some(step);
        constraints.levers[2].most = Some(0.7);
        constraints.levers[2].least = Some(0.2);
        constraints.levers.pop();
        constraints.relations = vec!["a <= d".parse().unwrap(), "c < 0.65".parse().unwrap()];
        let settings = Settings { budget, queries, ..Settings::default() };
        let goal = Goal::Flip { threshold: 0.5 };
        let mut model = of_numbers(|row| answer(of, row));
        let found = match search((&cases, &data), &constraints, goal, &settings, seed, &mut model) {
            Ok(found) => found,
            Err(SearchError::Impossible(Impossible::NothingMoves | Impossible::NeverFulfilled { .. })) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        for case in &found.cases {
            prop_assert!(case.queries <= queries + 1);
            let Some(counterexample) = flipped(case) else { continue };
            let before: Vec<f64> =
                cases.columns().iter().map(|column| column.values.number(case.case).unwrap()).collect();
            let mut after = before.clone();
            for change in &counterexample.changes {
                let at = NAMES.iter().position(|name| *name == change.feature).unwrap();
                after[at] = change.to.parse().unwrap();
            }
            let cost: f64 = before.iter().zip(&after).map(|(before, after)| (after - before).abs()).sum();
            prop_assert!((cost - counterexample.cost).abs() < 1e-9 && cost <= budget * (1.0 + 1e-12));
            prop_assert!(after[0] >= before[0] && after[3] == before[3]);
            let steps = (after[1] - before[1]) / step;
            prop_assert!((steps - steps.round()).abs() < 1e-6);
            prop_assert!(after[2] == before[2] || (0.2..=0.7).contains(&after[2]));
            prop_assert!(after[0] <= after[3] && after[2] < 0.65);
            let (score, now) = (answer(of, &before), answer(of, &after));
            prop_assert!((score >= 0.5) != (now >= 0.5));
            prop_assert_eq!(now, counterexample.score);
        }
    }
}
