//! Performance of several classes estimated without outcomes: against NannyML 0.13.1, against the
//! estimator for two classes, and against simulated outcomes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rand_core::RngCore;
use serde_json::Value;
use stats::classification::Undefined;
use stats::ecdf::Ecdf;
use stats::estimated::calibrator::Calibrator;
use stats::estimated::cbpe::Cbpe;
use stats::estimated::multiclass::{MulticlassCbpe, MulticlassError, MulticlassMetric, MulticlassRows};
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;

fn whole_numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect()
}

/// Stored rows: three scores in hundredths, classes, counts.
struct Stored {
    scores: Vec<Vec<f64>>,
    classes: Vec<Vec<usize>>,
    counts: Vec<u64>,
}

impl Stored {
    fn read(columns: &Value) -> Stored {
        let columns: Vec<Vec<u64>> = columns.as_array().unwrap().iter().map(whole_numbers).collect();
        let (scores, rest) = columns.split_at(3);
        let (counts, classes) = rest.split_last().unwrap();
        Stored {
            scores: scores.iter().map(|c| c.iter().map(|&s| s as f64 / 100.0).collect()).collect(),
            classes: classes.iter().map(|c| c.iter().map(|&class| class as usize).collect()).collect(),
            counts: counts.clone(),
        }
    }

    fn columns(&self) -> Vec<&[f64]> {
        self.scores.iter().map(Vec::as_slice).collect()
    }
}

/// SplitMix64 (Steele, Lea & Flood 2014).
struct SplitMix(u64);

impl RngCore for SplitMix {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.next_u64() as u8);
    }
}

/// NannyML takes rows of equal score in the order that its sort leaves them in; averaged over the
/// ties that is about half, so its area differs from ours by the noise of that order.
#[test]
fn estimates_equal_nannymls() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/estimated.json");
    let mut content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let case = content["cases"]["multiclass"].take();
    let reference = Stored::read(&case["reference"]);
    let columns = reference.columns();
    let rows = MulticlassRows {
        scores: &columns,
        predicted: &reference.classes[0],
        counts: Some(&reference.counts),
    };
    let calibrate: Vec<bool> =
        case["calibrate"].as_array().unwrap().iter().map(|v| v.as_bool().unwrap()).collect();
    let estimator = MulticlassCbpe::with(&rows, &reference.classes[1], &calibrate).unwrap();
    for chunk in case["chunks"].as_array().unwrap() {
        let current = Stored::read(&chunk["rows"]);
        let columns = current.columns();
        let rows = MulticlassRows {
            scores: &columns,
            predicted: &current.classes[0],
            counts: Some(&current.counts),
        };
        let expected = estimator.expected(&rows).unwrap();
        assert_eq!(expected.n(), 6000);
        for (metric, name, tolerance) in [
            (MulticlassMetric::Accuracy, "accuracy", 1e-10),
            (MulticlassMetric::F1, "f1", 1e-10),
            (MulticlassMetric::Precision, "precision", 1e-10),
            (MulticlassMetric::Recall, "recall", 1e-10),
            (MulticlassMetric::Specificity, "specificity", 1e-10),
            (MulticlassMetric::RocAuc, "roc_auc", 1e-5),
            (MulticlassMetric::AveragePrecision, "average_precision", 4e-3),
        ] {
            let ours = expected.estimate(metric, Level::P95).unwrap();
            let theirs = chunk[name].as_f64().unwrap();
            let difference = (ours.value - theirs).abs();
            assert!(difference < tolerance, "{name}: {} instead of {theirs}", ours.value);
            assert!(ours.interval.contains(ours.value) && ours.interval.width() < 0.04, "{name}");
        }
        for (ours, theirs) in expected.confusion().iter().zip(chunk["confusion"].as_array().unwrap()) {
            for (ours, theirs) in ours.iter().zip(theirs.as_array().unwrap()) {
                assert!((ours - theirs.as_f64().unwrap()).abs() < 1e-8);
            }
        }
    }
}

/// Three classes by softmax-like scores that promise too much; outcomes follow flatter ones.
struct Drawn {
    scores: Vec<Vec<f64>>,
    predicted: Vec<usize>,
    outcomes: Vec<usize>,
}

fn draw(rng: &mut SplitMix, rows: usize) -> Drawn {
    let mut uniform = || (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut drawn = Drawn { scores: vec![Vec::new(); 3], predicted: Vec::new(), outcomes: Vec::new() };
    for _ in 0..rows {
        let power: Vec<f64> = (0..3).map(|_| (3.0 * uniform()).exp()).collect();
        let sum: f64 = power.iter().sum();
        let scores: Vec<f64> = power.iter().map(|p| (100.0 * p / sum).round() / 100.0).collect();
        let flat: Vec<f64> = scores.iter().map(|s| 0.7 * s + 0.1).collect();
        let mut left = uniform() * flat.iter().sum::<f64>();
        let outcome = flat.iter().position(|p| {
            left -= p;
            left < 0.0
        });
        drawn.outcomes.push(outcome.unwrap_or(2));
        let best = |a: usize, b: usize| if scores[b] > scores[a] { b } else { a };
        drawn.predicted.push(best(best(0, 1), 2));
        for (column, score) in drawn.scores.iter_mut().zip(scores) {
            column.push(score.min(1.0));
        }
    }
    drawn
}

/// What the outcomes show.
fn realised(drawn: &Drawn, metric: MulticlassMetric) -> f64 {
    let n = drawn.outcomes.len() as f64;
    let count = |of: &dyn Fn(usize, usize) -> bool| {
        drawn.outcomes.iter().zip(&drawn.predicted).filter(|&(&y, &p)| of(y, p)).count() as f64
    };
    let mean = |of: &dyn Fn(usize) -> f64| (0..3).map(of).sum::<f64>() / 3.0;
    let right = |class: usize| count(&|y, p| y == class && p == class);
    let precision = |class: usize| right(class) / count(&|_, p| p == class);
    let recall = |class: usize| right(class) / count(&|y, _| y == class);
    let area = |class: usize| {
        let rows = drawn.scores[class].iter().zip(&drawn.outcomes).map(|(&s, &y)| (s, y == class));
        let labelled = LabelledScores::from_pairs(rows).unwrap();
        stats::classification::roc_auc::roc_auc(&labelled, Level::P95).unwrap().value
    };
    match metric {
        MulticlassMetric::Accuracy => count(&|y, p| y == p) / n,
        MulticlassMetric::Precision => mean(&precision),
        MulticlassMetric::Recall => mean(&recall),
        MulticlassMetric::RocAuc => mean(&area),
        _ => mean(&|class| 2.0 / (1.0 / precision(class) + 1.0 / recall(class))),
    }
}

#[test]
fn the_interval_covers_what_the_outcomes_then_show() {
    const WINDOWS: usize = 300;
    let metrics = [
        MulticlassMetric::Accuracy,
        MulticlassMetric::Precision,
        MulticlassMetric::Recall,
        MulticlassMetric::F1,
        MulticlassMetric::RocAuc,
    ];
    let mut rng = SplitMix(3);
    let mut covered = [0.0; 5];
    for _ in 0..WINDOWS {
        let (reference, current) = (draw(&mut rng, 1500), draw(&mut rng, 1000));
        let columns: Vec<&[f64]> = reference.scores.iter().map(Vec::as_slice).collect();
        let rows = MulticlassRows { scores: &columns, predicted: &reference.predicted, counts: None };
        let estimator = MulticlassCbpe::fit(&rows, &reference.outcomes, &mut rng).unwrap();
        let columns: Vec<&[f64]> = current.scores.iter().map(Vec::as_slice).collect();
        let rows = MulticlassRows { scores: &columns, predicted: &current.predicted, counts: None };
        let expected = estimator.expected(&rows).unwrap();
        for (covered, metric) in covered.iter_mut().zip(metrics) {
            let interval = expected.estimate(metric, Level::P95).unwrap().interval;
            *covered += f64::from(interval.contains(realised(&current, metric))) / WINDOWS as f64;
        }
    }
    assert!(covered.iter().all(|share| (0.92..=0.99).contains(share)), "{covered:?}");
}

#[test]
fn two_classes_are_estimated_as_by_the_binary_estimator() {
    let mut rng = SplitMix(5);
    let drawn = draw(&mut rng, 400);
    let positive = drawn.scores[0].clone();
    let negative: Vec<f64> = positive.iter().map(|s| 1.0 - s).collect();
    let outcomes: Vec<usize> = drawn.outcomes.iter().map(|&y| usize::from(y != 0)).collect();
    let predicted: Vec<usize> = positive.iter().map(|&s| usize::from(s < 0.4)).collect();
    let columns: [&[f64]; 2] = [&positive, &negative];
    let rows = MulticlassRows { scores: &columns, predicted: &predicted, counts: None };
    let estimator = MulticlassCbpe::with(&rows, &outcomes, &[true, true]).unwrap();
    let both = estimator.expected(&rows).unwrap();
    let pairs = positive.iter().zip(&outcomes).map(|(&s, &y)| (s, y == 0));
    let labelled = LabelledScores::from_pairs(pairs).unwrap();
    let binary = Cbpe::new(Calibrator::isotonic(&labelled).unwrap());
    let one = binary.expected(&Ecdf::from_values(&mut positive.clone()).unwrap()).unwrap();
    for (metric, binary) in [
        (MulticlassMetric::RocAuc, one.roc_auc(Level::P95).unwrap()),
        (MulticlassMetric::Accuracy, one.confusion_at(0.4).unwrap().accuracy(Level::P95)),
    ] {
        let both = both.estimate(metric, Level::P95).unwrap();
        assert!((both.value - binary.value).abs() < 1e-9, "{metric:?}");
        assert!((both.interval.lower - binary.interval.lower).abs() < 1e-6, "{metric:?}");
        assert!((both.interval.upper - binary.interval.upper).abs() < 1e-6, "{metric:?}");
    }
}

#[test]
fn rows_that_do_not_belong_together_are_refused() {
    let columns: [&[f64]; 2] = [&[0.2, 0.9], &[0.8, 0.1]];
    let good = MulticlassRows { scores: &columns, predicted: &[1, 0], counts: None };
    let refusal = |rows: &MulticlassRows<'_>, outcomes: &[usize]| {
        MulticlassCbpe::with(rows, outcomes, &[true, true]).map(|_| ()).unwrap_err()
    };
    assert_eq!(refusal(&good, &[0]), MulticlassError::LengthsDiffer);
    let counts = MulticlassRows { counts: Some(&[1]), ..good };
    assert_eq!(refusal(&counts, &[0, 1]), MulticlassError::LengthsDiffer);
    let unknown = MulticlassError::UnknownClass { row: 1, class: 2, classes: 2 };
    assert_eq!(refusal(&good, &[0, 2]), unknown);
    assert_eq!(refusal(&MulticlassRows { predicted: &[0, 2], ..good }, &[0, 1]), unknown);
    let one = MulticlassRows { scores: &columns[..1], ..good };
    assert_eq!(refusal(&one, &[0, 0]), MulticlassError::TooFewClasses { classes: 1 });
    let none = MulticlassRows { scores: &[&[], &[]], predicted: &[], counts: None };
    assert_eq!(refusal(&none, &[]), MulticlassError::Undefined(Undefined::NoRows));
    let zero = MulticlassRows { counts: Some(&[0, 0]), ..good };
    assert_eq!(refusal(&zero, &[0, 1]), MulticlassError::Undefined(Undefined::NoRows));
    let reason = Undefined::NoNegatives.into();
    assert_eq!(refusal(&good, &[0, 0]), MulticlassError::Class { class: 0, reason });
    let outside: [&[f64]; 2] = [&[0.2, 0.9], &[0.8, f64::NAN]];
    let outside = MulticlassRows { scores: &outside, ..good };
    assert!(matches!(refusal(&outside, &[0, 1]), MulticlassError::Class { class: 1, .. }));
    let fitted = MulticlassCbpe::with(&good, &[0, 1], &[true, false]).unwrap();
    let three: [&[f64]; 3] = [&[0.1], &[0.2], &[0.7]];
    let three = MulticlassRows { scores: &three, predicted: &[2], counts: None };
    let differ = MulticlassError::ClassesDiffer { current: 3, reference: 2 };
    assert_eq!(fitted.expected(&three).map(|_| ()), Err(differ));
}

/// Rows with a count of 0 once left average precision without a slope for them.
#[test]
fn rows_that_stand_for_none_change_nothing() {
    let columns: [&[f64]; 2] = [&[0.2, 0.9, 0.95, 0.4, 0.05], &[0.8, 0.1, 0.05, 0.6, 0.95]];
    let of = |counts| MulticlassRows { scores: &columns, predicted: &[1, 0, 0, 1, 1], counts: Some(counts) };
    let trimmed: [&[f64]; 2] = [&[0.2, 0.9, 0.4], &[0.8, 0.1, 0.6]];
    let trimmed = MulticlassRows { scores: &trimmed, predicted: &[1, 0, 1], counts: Some(&[3, 2, 4]) };
    let with = MulticlassCbpe::with(&of(&[3, 2, 0, 4, 0]), &[1, 0, 0, 0, 1], &[true, true]).unwrap();
    let without = MulticlassCbpe::with(&trimmed, &[1, 0, 0], &[true, true]).unwrap();
    for metric in MulticlassMetric::ALL {
        let with = with.expected(&of(&[3, 2, 0, 4, 0])).unwrap().estimate(metric, Level::P95).unwrap();
        let without = without.expected(&trimmed).unwrap().estimate(metric, Level::P95).unwrap();
        assert!((with.value - without.value).abs() < 1e-12, "{metric:?}");
        assert!((with.interval.width() - without.interval.width()).abs() < 1e-12, "{metric:?}");
    }
}

#[test]
fn a_class_that_is_never_called_has_no_precision_and_is_named() {
    let columns: [&[f64]; 2] = [&[0.2, 0.9, 0.4], &[0.8, 0.1, 0.6]];
    let rows = MulticlassRows { scores: &columns, predicted: &[0, 0, 0], counts: None };
    let fitted = MulticlassCbpe::with(&rows, &[0, 1, 0], &[false, false]).unwrap();
    let expected = fitted.expected(&rows).unwrap();
    let reason = Undefined::NoPredictedPositives.into();
    assert_eq!(
        expected.estimate(MulticlassMetric::Precision, Level::P95),
        Err(MulticlassError::Class { class: 1, reason })
    );
    assert!(expected.estimate(MulticlassMetric::RocAuc, Level::P95).is_ok());
}
