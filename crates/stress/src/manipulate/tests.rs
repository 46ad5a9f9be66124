//! Searches against models whose cheapest change is known, and against random ones.

use proptest::prelude::*;
use types::batch::BatchColumn;
use types::batch::Values::{self, Booleans, Integers, Numbers, Texts};

use types::definition::{Direction, Mutable};

use super::summary::{How, Way, summary};
use super::*;

const FLIP: Goal = Goal::Flip { threshold: 0.5, towards: None };

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

type Answers = Result<Vec<Option<Answer>>, String>;

/// A model of the numbers of each row.
fn of_numbers(weigh: impl Fn(&[f64]) -> f64) -> impl FnMut(&Batch) -> Answers {
    move |batch| {
        let row = |row: usize| -> Vec<f64> {
            batch.columns().iter().map(|column| column.values.number(row).unwrap_or(0.0)).collect()
        };
        Ok((0..batch.rows()).map(|at| Some(Answer::Number(weigh(&row(at))))).collect())
    }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Rows of four numbers of [0, 1).
fn four(rows: usize, seed: usize) -> Batch {
    let column = |at: usize| (0..rows).map(|row| scattered(seed * 1000 + row * 4 + at)).collect::<Vec<f64>>();
    batch(NAMES.iter().enumerate().map(|(at, name)| (*name, numbers(&column(at)))).collect())
}

/// Every feature from 0 to 1 at a cost of 1 per unit.
fn free() -> Manipulation {
    let lever = Mutable { min: Some(0.0), max: Some(1.0), cost: Some(1.0), ..Mutable::default() };
    of_features(NAMES.map(|name| (name, lever.clone())))
}

fn of_features<const N: usize>(features: [(&str, Mutable); N]) -> Manipulation {
    let features = features.into_iter().map(|(name, feature)| (name.to_owned(), feature)).collect();
    Manipulation { features, ..Manipulation::default() }
}

fn score(answer: &Answer) -> f64 {
    match answer {
        Answer::Number(score) => *score,
        Answer::Classes(_) => panic!("no score in {answer:?}"),
    }
}

fn score_before(case: &CaseFound) -> f64 {
    score(case.answer.as_ref().unwrap())
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
    let constraints = Manipulation { budget: 2.0, ..free() };
    let found = search((&cases, &data), &constraints, FLIP, 1, &mut of_numbers(model)).unwrap();
    assert_eq!(found.is_decision_only, is_decision_only);
    let mut excess = Vec::new();
    for case in &found.cases {
        let row: Vec<f64> =
            cases.columns().iter().map(|column| column.values.number(case.case).unwrap()).collect();
        let optimum = linear_optimum(&row, &weights, bias).unwrap();
        assert!(case.queries <= u64::from(constraints.queries));
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
    assert!(share == 1.0 && median < 1.05 && worst < 1.2, "{share} {median} {worst}");
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
    let lever = Mutable { step: Some(0.02), ..free().features["a"].clone() };
    let constraints =
        Manipulation { budget: 2.0, queries: 500, ..of_features([("a", lever.clone()), ("b", lever)]) };
    for (at, model) in models.into_iter().enumerate() {
        let (cases, data) = (four(40, 7), four(200, 8));
        let found = search((&cases, &data), &constraints, FLIP, 1, &mut of_numbers(model)).unwrap();
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

fn credit_score(batch: &Batch) -> Vec<Option<Answer>> {
    let number = |name: &str, row: usize| batch.column(name).unwrap().number(row).unwrap();
    let text = |name: &str, row: usize| batch.column(name).unwrap().text(row).unwrap();
    let score = |row: usize| {
        let home = f64::from(u8::from(text("home", row) == "own"));
        let owes = f64::from(u8::from(text("owes", row) == "true"));
        let z = number("income", row) / 1000.0 - 4.0 + 0.6 * home - 0.5 * owes
            + 0.2 * (number("total", row) - number("open", row));
        Some(Answer::Number(1.0 / (1.0 + (-z).exp())))
    };
    (0..batch.rows()).map(score).collect()
}

fn credit_constraints() -> Manipulation {
    let income =
        Mutable { direction: Direction::Up, step: Some(50.0), max: Some(6000.0), ..Mutable::default() };
    let constraints = of_features([
        ("income", income),
        ("home", Mutable { cost: Some(0.4), ..Mutable::default() }),
        ("total", Mutable { direction: Direction::Down, ..Mutable::default() }),
        ("open", Mutable::default()),
        ("owes", Mutable::default()),
    ]);
    let relations = vec!["open <= total".parse().unwrap(), "open >= 0".parse().unwrap()];
    Manipulation { budget: 1.5, relations, ..constraints }
}

#[test]
fn changes_keep_every_constraint_and_are_told_in_words_and_numbers() {
    let (cases, data) = credit();
    let found =
        search((&cases, &data), &credit_constraints(), FLIP, 3, &mut |batch: &Batch| Ok(credit_score(batch)))
            .unwrap();
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
        let (before, after) = (score_before(case), score(&counterexample.answer));
        assert!(counterexample.cost <= 1.5 && (after >= 0.5) != (before >= 0.5));
        // What is cheapest of all is no dearer than what one feature does alone.
        assert!(case.alone.iter().all(|alone| alone.cost >= counterexample.cost - 1e-9), "{case:?}");
    }
    let summary = summary(&found, 1.5, 1);
    assert_eq!((summary.searched, summary.left_out.len(), summary.curve.len()), (30, 0, 21));
    assert!(summary.curve.windows(2).all(|pair| pair[0].1.value <= pair[1].1.value));
    assert_eq!(summary.curve[20].1, summary.flipped_share.unwrap());
    let income = summary.levers.iter().find(|of| found.levers[of.lever].feature == "income").unwrap();
    assert!(matches!(income.how, Some(How::Number { way: Way::Up, is_share: true, .. })), "{income:?}");
    let cost = summary.median_cost.unwrap();
    assert!(cost.interval.contains(cost.value));
}

#[test]
fn what_a_relation_forces_is_pulled_along() {
    let rows = |rows: usize| {
        let values = |of: &dyn Fn(usize) -> i64| Integers((0..rows).map(|at| Some(of(at))).collect());
        batch(vec![("open", values(&|at| (at % 3) as i64)), ("total", values(&|at| (at % 3) as i64))])
    };
    // Only open debts count, and there can be no more of them than debts in all.
    let mut model = |batch: &Batch| {
        let open = batch.column("open").unwrap();
        Ok((0..batch.rows()).map(|row| Some(Answer::Number(open.number(row).unwrap() / 10.0))).collect())
    };
    let lever = Mutable { max: Some(9.0), cost: Some(0.1), ..Mutable::default() };
    for (relation, total_after) in [("open <= total", 5), ("open < total", 6)] {
        let relations = vec![relation.parse().unwrap()];
        let constraints = of_features([("open", lever.clone()), ("total", lever.clone())]);
        let constraints = Manipulation { relations, budget: 2.0, ..constraints };
        let cases = if relation.contains('=') {
            rows(3)
        } else {
            batch(vec![("open", Integers(vec![Some(2)])), ("total", Integers(vec![Some(3)]))])
        };
        let found = search((&cases, &rows(20)), &constraints, FLIP, 1, &mut model).unwrap();
        for case in &found.cases {
            let change = flipped(case).unwrap();
            let to =
                |name: &str| change.changes.iter().find(|change| change.feature == name).unwrap().to.clone();
            assert_eq!((to("open"), to("total")), ("5".to_owned(), total_after.to_string()), "{case:?}");
        }
    }
}

#[test]
fn a_score_is_moved_by_as_much_as_was_asked_for() {
    let (cases, data) = (four(20, 3), four(100, 4));
    for by in [0.3, -0.3] {
        let mut model = of_numbers(|row| row[0] + 0.5 * row[1]);
        let found = search((&cases, &data), &free(), Goal::Move { by }, 1, &mut model).unwrap();
        for case in &found.cases {
            if let Some(change) = flipped(case) {
                let moved = score(&change.answer) - score_before(case);
                assert!(moved / by >= 1.0 - 1e-9 && moved / by < 1.2, "{moved}");
            }
        }
        assert!(found.cases.iter().filter(|case| flipped(case).is_some()).count() > 15);
    }
}

#[test]
fn a_class_is_left_or_got_to() {
    let (cases, data) = (four(40, 3), four(100, 4));
    let classes = |row: &[f64]| {
        let weights = [row[0], row[1], row[2]].map(|value| (3.0 * value).exp());
        let sum: f64 = weights.iter().sum();
        Answer::Classes(weights.iter().map(|weight| weight / sum).collect())
    };
    let mut model = |batch: &Batch| {
        let number = |row: usize, at: usize| batch.columns()[at].values.number(row).unwrap();
        let row = |row: usize| [0, 1, 2].map(|at| number(row, at));
        Ok((0..batch.rows()).map(|at| Some(classes(&row(at)))).collect())
    };
    let constraints = Manipulation { budget: 2.0, ..free() };
    for towards in [None, Some(2)] {
        let found = search((&cases, &data), &constraints, Goal::Class { towards }, 1, &mut model).unwrap();
        let mut tried = 0;
        for case in &found.cases {
            let row: Vec<f64> =
                (0..3).map(|at| cases.columns()[at].values.number(case.case).unwrap()).collect();
            let largest = row.iter().copied().fold(0.0, f64::max);
            let others = |wanted: usize| (0..3).filter(move |at| *at != wanted);
            let wanted = towards.unwrap_or_else(|| {
                // The class that is nearest: the second largest number.
                let top = (0..3).find(|at| row[*at] == largest).unwrap();
                others(top).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap()
            });
            if row[wanted] == largest {
                assert!(matches!(case.outcome, Outcome::Skipped { .. }), "{case:?}");
                continue;
            }
            tried += 1;
            // To raise the one or to lower the other costs the same; of two that are above it both must go.
            let gap = largest - row[wanted];
            let change = flipped(case).unwrap();
            assert!(change.cost >= gap - 1e-9 && change.cost <= 1.1 * gap + 1e-6, "{case:?}");
        }
        assert!(tried > 20);
    }
}

#[track_caller]
fn refused(constraints: &Manipulation, expected: &str) {
    let (cases, data) = credit();
    let error = search((&cases, &data), constraints, FLIP, 1, &mut |batch: &Batch| Ok(credit_score(batch)))
        .unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn constraints_that_leave_nothing_to_try_are_refused_in_words() {
    refused(&Manipulation::default(), "no feature may be changed");
    let of = |name: &str, feature: Mutable| of_features([(name, feature)]);
    refused(
        &of("incom", Mutable::default()),
        "there is no feature `incom` (has: income, home, open, total, owes)",
    );
    let range = Mutable { min: Some(5.0), ..Mutable::default() };
    refused(&of("open", range), "`open` must be at least 5 and at most 4: no value is");
    let at_bound =
        Mutable { direction: Direction::Up, max: Some(0.0), min: Some(-1.0), ..Mutable::default() };
    refused(
        &of("open", at_bound),
        "nothing can be changed in any case: every lever is at its bound, has no value, or costs too much",
    );
    let related = |text: &str| Manipulation {
        relations: vec![text.parse().unwrap()],
        ..of("open", Mutable::default())
    };
    refused(&related("open > 99"), "no case fulfils `open > 99` before any change");
    refused(&related("home < 3"), "`home` does not hold numbers, which `home < 3` compares");
}

#[test]
fn a_model_that_fails_on_the_way_leaves_what_was_done() {
    let (cases, data) = (four(20, 1), four(40, 2));
    for fails_at in [1, 2, 3, 5, 9] {
        let mut calls = 0;
        let mut score = of_numbers(|row| row[0]);
        let mut model = |batch: &Batch| {
            calls += 1;
            if calls >= fails_at { Err("it is down".to_owned()) } else { score(batch) }
        };
        let found = search((&cases, &data), &free(), FLIP, 1, &mut model).unwrap();
        assert_eq!((found.stopped.as_deref(), found.cases.len(), calls), (Some("it is down"), 20, fails_at));
        assert!(found.cases.iter().any(|case| case.outcome == Outcome::Unfinished));
    }
    let mut short = |_: &Batch| Ok(vec![Some(Answer::Number(0.1))]);
    let found = search((&cases, &data), &free(), FLIP, 1, &mut short).unwrap();
    assert_eq!(found.stopped.as_deref(), Some("it was asked about 20 rows and answered for 1"));
}

#[test]
fn a_flip_that_does_not_happen_again_is_none() {
    let (cases, data) = (four(4, 1), four(20, 2));
    let mut calls = 0_u64;
    let mut moody = |batch: &Batch| {
        calls += 1;
        Ok(vec![Some(Answer::Number(if calls == 3 { 0.9 } else { 0.1 })); batch.rows()])
    };
    let found = search((&cases, &data), &free(), FLIP, 1, &mut moody).unwrap();
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
        of in some_model(), budget in 0.05..2.0, queries in 1_u32..200, seed: u64, step in 0.01..0.2,
    ) {
        let (cases, data) = (four(6, 5), four(40, 6));
        let mut constraints = Manipulation { budget, queries, ..free() };
        let mut lever = |name: &str, change: &dyn Fn(&mut Mutable)| {
            change(constraints.features.get_mut(name).unwrap());
        };
        lever("a", &|of| of.direction = Direction::Up);
        lever("b", &|of| of.step = Some(step));
        lever("c", &|of| (of.min, of.max) = (Some(0.2), Some(0.7)));
        constraints.features.remove("d");
        constraints.relations = vec!["a <= d".parse().unwrap(), "c < 0.65".parse().unwrap()];
        let mut model = of_numbers(|row| answer(of, row));
        let found = match search((&cases, &data), &constraints, FLIP, seed, &mut model) {
            Ok(found) => found,
            Err(Impossible::NothingMoves | Impossible::NeverFulfilled { .. }) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        for case in &found.cases {
            prop_assert!(case.queries <= u64::from(queries).max(1));
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
            let (score_before, now) = (answer(of, &before), answer(of, &after));
            prop_assert!((score_before >= 0.5) != (now >= 0.5));
            prop_assert_eq!(now, score(&counterexample.answer));
        }
    }
}
