//! Costs and imputations against other tools' values, and what holds for all of them.

use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use serde_json::Value;
use types::batch::Values::{self, Booleans, Integers, Numbers, Texts};
use types::batch::{Batch, BatchColumn};

use super::policy::Policy;
use super::*;
use crate::plan::Subject;

fn reference_values() -> Value {
    serde_json::from_str(include_str!("../../../../testdata/reference/stress.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn batch(columns: Vec<(&str, Values)>) -> Batch {
    let of = |(name, values): (&str, Values)| BatchColumn { name: name.into(), values };
    Batch::new(columns.into_iter().map(of).collect()).unwrap()
}

fn numbers(values: &[f64]) -> Values {
    Numbers(values.iter().copied().map(Some).collect())
}

fn texts(value: &Value) -> Values {
    Texts(value.as_array().unwrap().iter().map(|text| Some(text.as_str().unwrap().to_owned())).collect())
}

#[test]
fn the_nearest_rows_fill_in_what_scikit_learn_fills_in() {
    let values = &reference_values()["nearest"];
    let features = |side: &str| -> Vec<(&str, Values)> {
        (0..3).map(|at| (["a", "b", "c"][at], numbers(&floats(&values[side][at])))).collect()
    };
    let mut known = features("reference");
    known.extend([("number", numbers(&floats(&values["number"]))), ("category", texts(&values["category"]))]);
    let mut asked = features("asked");
    asked.extend([("number", Numbers(vec![None; 12])), ("category", Texts(vec![None; 12]))]);
    let found = impute::nearest(&batch(asked), &batch(known), &["number", "category"], 5).unwrap();
    for (row, expected) in floats(&values["number_filled"]).into_iter().enumerate() {
        assert!((found.column("number").unwrap().number(row).unwrap() - expected).abs() < 1e-9, "{row}");
    }
    assert_eq!(found.column("category").cloned(), Some(texts(&values["category_filled"])));
}

#[test]
fn values_are_filled_in_only_where_they_are_missing() {
    let known = batch(vec![
        ("i", Integers(vec![Some(1), Some(2), Some(9)])),
        ("b", Booleans(vec![Some(true), Some(true), Some(false)])),
        ("t", Texts(vec![Some("x".into()), Some("y".into()), Some("y".into())])),
        ("none", Numbers(vec![None; 3])),
    ]);
    let asked = batch(vec![
        ("i", Integers(vec![None, Some(7)])),
        ("b", Booleans(vec![None, Some(false)])),
        ("t", Texts(vec![Some("x".into()), None])),
        ("none", Numbers(vec![None; 2])),
    ]);
    let found = impute::usual(&asked, &known, &["i", "b", "t"]).unwrap();
    assert_eq!(found.column("i"), Some(&Integers(vec![Some(2), Some(7)])));
    assert_eq!(found.column("b"), Some(&Booleans(vec![Some(true), Some(false)])));
    assert_eq!(found.column("t"), Some(&Texts(vec![Some("x".into()), Some("y".into())])));
    let near = impute::nearest(&asked, &known, &["i"], 1).unwrap();
    // The first row of the reference is the nearest: its text is the same.
    assert_eq!(near.column("i"), Some(&Integers(vec![Some(1), Some(7)])));
    for refused in [impute::usual(&asked, &known, &["none"]), impute::nearest(&asked, &known, &["none"], 3)] {
        assert_eq!(refused.unwrap_err(), impute::ImputeError::NoReference { column: "none".into() });
    }
    assert_eq!(impute::nearest(&asked, &known, &["i"], 0), Err(impute::ImputeError::NoNeighbours));
    let unknown = impute::usual(&asked, &known, &["z"]).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no column `z` (has: i, b, t, none)");
}

fn replies(answers: &[f64]) -> Vec<Reply> {
    answers.iter().copied().map(Reply::Answer).collect()
}

fn weighed() -> (Value, Weighed) {
    let values = reference_values()["costs"].clone();
    let outcomes: Vec<Option<f64>> = floats(&values["outcome"]).into_iter().map(Some).collect();
    let number = |name: &str| values[name].as_f64().unwrap();
    let cost = Cost {
        false_positive: number("false_positive"),
        false_negative: number("false_negative"),
        ..Cost::default()
    };
    let prices = Prices::binary(number("threshold"), cost, number("abstaining"));
    let of = Tried::at_once;
    let tried = [
        of(Strategy::Nothing, replies(&floats(&values["nothing"]))),
        of(Strategy::ImputeUsual, replies(&floats(&values["imputed"]))),
        of(Strategy::Abstain, vec![Reply::Abstained; outcomes.len()]),
    ];
    let weighed = weigh(&tried, &outcomes, &prices).unwrap();
    (values, weighed)
}

#[test]
fn costs_and_their_differences_are_those_of_scipy() {
    let (values, weighed) = weighed();
    let of = |strategy: &Strategy| weighed.strategies.iter().find(|of| of.strategy == *strategy).unwrap();
    for (name, strategy) in
        [("nothing", Strategy::Nothing), ("imputed", Strategy::ImputeUsual), ("abstained", Strategy::Abstain)]
    {
        let found = of(&strategy);
        assert!((found.mean.value - values["means"][name].as_f64().unwrap()).abs() < 1e-12);
        if let Some(against) = found.against_nothing {
            let [low, high] = [0, 1].map(|at| values["against_nothing"][name][at].as_f64().unwrap());
            let interval = against.difference.interval;
            assert!((interval.lower - low).abs() < 1e-8 && (interval.upper - high).abs() < 1e-8, "{name}");
        }
    }
    assert!(weighed.strategies.windows(2).all(|pair| pair[0].mean.value <= pair[1].mean.value));
    assert_eq!(of(&Strategy::Abstain).abstained, 300);
}

fn every_strategy() -> Vec<Strategy> {
    vec![
        Strategy::Nothing,
        Strategy::ImputeUsual,
        Strategy::ImputeNearest { neighbours: 15 },
        Strategy::ReducedModel { model: "without weather.onnx".into() },
        Strategy::FallbackModel { model: "https://127.0.0.1/\"old\"".into() },
        Strategy::CachedAnswer,
        Strategy::Constant { answer: 1.0 },
        Strategy::Constant { answer: -0.25 },
        Strategy::Abstain,
        Strategy::CircuitBreaker {
            breaker: Breaker { failures: 3, rows_open: 50 },
            meanwhile: Box::new(Strategy::Abstain),
        },
    ]
}

#[test]
fn a_policy_is_proposed_and_survives_its_file() {
    let (_, weighed) = weighed();
    let rehearsed = [(Subject::Source("weather".into()), weighed)];
    let mut policy = Policy::proposed(&rehearsed);
    assert_eq!(policy.rule[0].then, Strategy::ImputeUsual);
    assert!(policy.rule[0].why.contains("instead of"), "{}", policy.rule[0].why);
    policy.rule.push(policy::Rule {
        outage: Subject::Feature("temp".into()),
        then: Strategy::CircuitBreaker {
            breaker: Breaker { failures: 5, rows_open: 100 },
            meanwhile: Box::new(Strategy::Constant { answer: 0.2 }),
        },
        why: String::new(),
    });
    policy.rule[1].why = "as \"before\",\nC:\\ and \u{7}".into();
    let written = policy.text();
    assert_eq!(toml::from_str::<Policy>(&written).unwrap(), policy);
    for then in every_strategy() {
        let rule = vec![policy::Rule { outage: Subject::Model, then, why: String::new() }];
        let policy = Policy { rule };
        assert_eq!(toml::from_str::<Policy>(&policy.text()).unwrap(), policy, "{}", policy.text());
    }
    assert!(
        toml::from_str::<Policy>("[[rule]]\noutage = { source = \"w\" }\nthen = { strategy = \"pray\" }")
            .is_err()
    );
}

#[test]
fn nothing_is_done_where_nothing_surely_saves() {
    let outcomes: Vec<Option<f64>> = (0..40).map(|row| Some(f64::from(row % 2))).collect();
    let tried = |strategy, wrong: usize| {
        let answer = |(row, outcome): (usize, &Option<f64>)| {
            let truth = outcome.unwrap();
            if row < wrong { 1.0 - truth } else { truth }
        };
        Tried::at_once(strategy, replies(&outcomes.iter().enumerate().map(answer).collect::<Vec<_>>()))
    };
    let prices = Prices::binary(0.5, Cost::default(), 0.5);
    let weighed =
        weigh(&[tried(Strategy::Nothing, 5), tried(Strategy::ImputeUsual, 4)], &outcomes, &prices).unwrap();
    assert_eq!(weighed.strategies[0].strategy, Strategy::ImputeUsual);
    assert!(!weighed.is_best_beyond_chance);
    let policy = Policy::proposed(&[(Subject::Rows, weighed)]);
    assert_eq!(policy.rule[0].then, Strategy::Nothing);
    assert!(policy.rule[0].why.ends_with("nothing that was tried surely costs less"));
}

#[test]
fn gains_and_missing_answers_have_their_prices() {
    let cost = Cost { true_positive: -2.0, true_negative: -1.0, ..Cost::default() };
    let prices = Prices::binary(0.5, cost, 0.25);
    let mixed =
        vec![Reply::Answer(0.9), Reply::Answer(0.1), Reply::Abstained, Reply::Nothing, Reply::Answer(0.9)];
    let outcomes = [Some(1.0), Some(0.0), Some(1.0), Some(1.0), None];
    let tried = Tried::at_once(Strategy::Nothing, mixed);
    let weighed = weigh(&[tried], &outcomes, &prices).unwrap();
    let found = &weighed.strategies[0];
    assert_eq!((weighed.rows, found.mean.value), (4, (-2.0 - 1.0 + 0.25 + 1.0) / 4.0));
    assert_eq!((found.abstained, found.unanswered, found.against_nothing), (1, 1, None));
    let interval = found.mean.interval;
    assert!(-2.0 <= interval.lower && interval.lower < found.mean.value && found.mean.value < interval.upper);
    let matrix = [("bad".into(), [("good".into(), 7.0)].into())].into();
    let classes = OfAnswers::Classes {
        classes: vec!["good".into(), "bad".into()],
        cost: Cost { matrix, ..Cost::default() },
    };
    let of_classes = Prices { of_answers: classes, abstaining: 1.0, no_answer: 9.0, waiting: 0.0 };
    let replies = replies(&[0.0, 0.0, 1.0, 1.0]);
    let outcomes = [Some(0.0), Some(1.0), Some(0.0), Some(1.0)];
    let weighed = weigh(&[Tried::at_once(Strategy::Nothing, replies)], &outcomes, &of_classes).unwrap();
    assert_eq!(weighed.strategies[0].mean.value, (0.0 + 7.0 + 1.0 + 0.0) / 4.0);
    let number = Prices {
        of_answers: OfAnswers::Number { per_unit: 2.0 },
        abstaining: 1.0,
        no_answer: 9.0,
        waiting: 0.0,
    };
    let tried = Tried::at_once(Strategy::Nothing, vec![Reply::Answer(3.0), Reply::Answer(6.0)]);
    let weighed = weigh(&[tried], &[Some(4.0), Some(5.0)], &number).unwrap();
    assert_eq!(weighed.strategies[0].mean.value, 2.0);
}

#[test]
fn what_cannot_be_weighed_is_said() {
    let prices = Prices::binary(0.5, Cost::default(), 0.5);
    assert_eq!(weigh(&[], &[Some(1.0)], &prices), Err(WeighError::NoStrategy));
    let tried = |replies| [Tried::at_once(Strategy::Abstain, replies)];
    let short = weigh(&tried(vec![]), &[Some(1.0), Some(0.0)], &prices).unwrap_err();
    assert_eq!(short.to_string(), "strategy `send the case to a person` has 0 replies for 2 rows");
    let few = weigh(&tried(vec![Reply::Abstained]), &[Some(1.0)], &prices);
    assert_eq!(few, Err(WeighError::TooFewRows { rows: 1 }));
    let infinite = Prices { abstaining: f64::INFINITY, ..prices };
    let refused = weigh(&tried(vec![Reply::Abstained; 2]), &[Some(1.0), Some(0.0)], &infinite);
    assert!(matches!(refused, Err(WeighError::NotFinite { .. })));
}

#[test]
fn the_last_answer_about_the_same_thing_is_repeated() {
    let keys: Vec<Option<String>> = ["a", "b", "a", "b", "c"].map(|key| Some(key.into())).into();
    let clean = [Some(0.1), Some(0.2), Some(0.3), Some(0.4), Some(0.5)];
    let mask = [false, true, true, true, true];
    let found = cached_answers(&[("b".into(), 0.9)], &keys, &clean, &mask);
    let expected =
        [Reply::Answer(0.1), Reply::Answer(0.9), Reply::Answer(0.1), Reply::Answer(0.9), Reply::Nothing];
    assert_eq!(found, expected);
    let touched = where_touched(&mask, &clean, &[Reply::Abstained; 5]);
    assert_eq!(touched[..2], [Reply::Answer(0.1), Reply::Abstained]);
}

#[test]
fn a_breaker_saves_waiting_and_gives_away_what_the_model_would_have_answered() {
    let answer = Reply::Answer(0.9);
    let replies = [answer, Reply::Nothing, Reply::Nothing, answer, answer, answer];
    let breaker = Breaker { failures: 2, rows_open: 2 };
    let constant = Tried::at_once(Strategy::Constant { answer: 0.0 }, vec![Reply::Answer(0.0); 6]);
    let found = through_breaker(breaker, &replies, &constant);
    let meanwhile = Reply::Answer(0.0);
    assert_eq!(found.replies, [answer, meanwhile, meanwhile, meanwhile, meanwhile, answer]);
    assert_eq!(found.waits, [false, true, true, false, false, false]);
    // All of them happened: each constant no is a mistake for 1, each wait costs a half.
    let prices = Prices { waiting: 0.5, ..Prices::binary(0.5, Cost::default(), 0.0) };
    let weighed = weigh(&[found], &[Some(1.0); 6], &prices).unwrap();
    assert!((weighed.strategies[0].mean.value - (4.0 + 2.0 * 0.5) / 6.0).abs() < 1e-12);
    assert!(weighed.strategies[0].strategy.words().starts_with("after 2 failures in a row answer 0"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_of_strategies_changes_nothing_and_the_best_is_the_least(
        scores in proptest::collection::vec((0.0..=1.0, 0.0..=1.0, any::<bool>()), 2..80), abstaining in 0.0..2.0,
    ) {
        let outcomes: Vec<Option<f64>> = scores.iter().map(|row| Some(f64::from(u8::from(row.2)))).collect();
        let of = Tried::at_once;
        let mut tried = vec![
            of(Strategy::Nothing, scores.iter().map(|row| Reply::Answer(row.0)).collect()),
            of(Strategy::ImputeUsual, scores.iter().map(|row| Reply::Answer(row.1)).collect()),
            of(Strategy::Abstain, vec![Reply::Abstained; outcomes.len()]),
        ];
        let prices = Prices::binary(0.5, Cost::default(), abstaining);
        let weighed = weigh(&tried, &outcomes, &prices).unwrap();
        tried.reverse();
        let reversed = weigh(&tried, &outcomes, &prices).unwrap();
        let means = |weighed: &Weighed| weighed.strategies.iter().map(|of| of.mean.value).collect::<Vec<f64>>();
        prop_assert_eq!(means(&weighed), means(&reversed));
        prop_assert!(means(&weighed).windows(2).all(|pair| pair[0] <= pair[1]));
        let next = weighed.next_less_best.unwrap().difference.value;
        prop_assert!((means(&weighed)[1] - means(&weighed)[0] - next).abs() < 1e-9);
    }
}
