//! Texts and embeddings: values of scikit-learn, and simulations of what is promised of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use serde_json::Value;
use stats::ecdf::Ecdf;
use stats::embedding::{EmbeddingError, Embeddings, Sampled, centroid_drift, sampled_centroid_drift};
use stats::principal_directions::principal_coordinates;
use stats::sketch::text::token_hash;
use stats::sketch::tokens::unseen_tokens;
use stats::sketch::vectors::Centroid;
use stats::sketch::{EmbeddingProfile, Fidelity, TextProfile};
use uniform::Uniform;

fn cases(name: &str) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    let content: Value = serde_json::from_str(&text).unwrap();
    content["cases"].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn texts(value: &Value) -> TextProfile {
    let mut profile = TextProfile::new(Fidelity::Exact);
    profile.extend(value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()));
    profile
}

#[test]
fn tokens_and_character_classes_are_those_of_scikit_learn_and_python() {
    for case in cases("texts") {
        let (reference, window) = (texts(&case["reference"]), texts(&case["window"]));
        for (token, rows) in case["row_counts"].as_object().unwrap() {
            assert_eq!(reference.tokens().count(token_hash(token)), rows.as_u64().unwrap(), "{token}");
        }
        let found = unseen_tokens(reference.tokens(), window.tokens()).unwrap();
        assert!((found.share - case["unseen_share"].as_f64().unwrap()).abs() < 1e-12);
        assert!((found.by_chance - case["unseen_by_chance"].as_f64().unwrap()).abs() < 1e-12);
        assert!((found.different - case["unseen_tokens"].as_f64().unwrap()).abs() < 1e-12);
        for (at, ecdf) in reference.ecdfs().iter().enumerate() {
            let mut expected: Vec<f64> =
                case["quantities"].as_array().unwrap().iter().filter_map(|of| of[at].as_f64()).collect();
            assert_eq!(*ecdf, Ecdf::from_values(&mut expected).unwrap(), "quantity {at}");
        }
    }
}

/// Rows of two to seven words, the commoner ones of a vocabulary more often.
fn comments(rng: &mut Uniform, rows: usize) -> TextProfile {
    let mut uniform = || rng.next();
    let mut profile = TextProfile::new(Fidelity::Exact);
    for _ in 0..rows {
        let words = 2 + (5.0 * uniform()) as usize;
        let text: Vec<String> =
            (0..words).map(|_| format!("w{}", (2_000.0 * uniform().powi(4)) as u32)).collect();
        profile.extend([text.join(" ").as_str()]);
    }
    profile
}

#[test]
fn chance_brings_as_many_new_tokens_as_is_said() {
    let mut rng = Uniform(3);
    let (mut shares, mut by_chance) = (0.0, 0.0);
    for _ in 0..20 {
        let (before, now) = (comments(&mut rng, 800), comments(&mut rng, 300));
        let found = unseen_tokens(before.tokens(), now.tokens()).unwrap();
        shares += found.share;
        by_chance += found.by_chance;
    }
    assert!(shares > 0.5, "there are some: {shares}");
    assert!((by_chance / shares - 1.0).abs() < 0.1, "{by_chance} {shares}");
}

#[test]
fn drawn_tokens_are_in_the_vocabulary_as_often_in_the_reference_as_after_it() {
    let mut rng = Uniform(4);
    let (mut before_new, mut before_all, mut now_new, mut now_all) = (0, 0, 0, 0);
    for _ in 0..40 {
        let (before, now) = (comments(&mut rng, 400), comments(&mut rng, 400));
        let [known, unknown] = before.drawn_in(before.learnt(), 0);
        (before_new, before_all) = (before_new + unknown, before_all + known + unknown);
        let [known, unknown] = now.drawn_in(before.learnt(), 0);
        (now_new, now_all) = (now_new + unknown, now_all + known + unknown);
    }
    let (a, b) = (before_new as f64 / before_all as f64, now_new as f64 / now_all as f64);
    let deviation = (a * (1.0 - a) * (1.0 / before_all as f64 + 1.0 / now_all as f64)).sqrt();
    assert!(before_new > 200 && (a - b).abs() < 4.0 * deviation, "{a} {b} {deviation}");
}

#[test]
fn principal_coordinates_are_those_of_scikit_learn() {
    for case in cases("principal_directions") {
        let dimensions = case["dimensions"].as_u64().unwrap() as usize;
        let count = case["count"].as_u64().unwrap() as usize;
        let vectors = Embeddings::new(numbers(&case["vectors"]), dimensions).unwrap();
        let found = principal_coordinates(&vectors, count, &mut Uniform(7));
        assert_eq!(found.dimensions(), count);
        for (found, expected) in found.entries().iter().zip(numbers(&case["absolute_coordinates"])) {
            assert!((found.abs() - expected).abs() < 1e-4, "{found} {expected}");
        }
    }
}

#[test]
fn vectors_that_vary_in_few_directions_have_so_many_coordinates() {
    let line: Vec<f64> = (0..20).flat_map(|row| [f64::from(row), 2.0 * f64::from(row), 1.0]).collect();
    let found = principal_coordinates(&Embeddings::new(line, 3).unwrap(), 2, &mut Uniform(7));
    assert_eq!((found.rows(), found.dimensions()), (20, 1));
    let still = principal_coordinates(&Embeddings::new(vec![1.0; 30], 3).unwrap(), 2, &mut Uniform(7));
    assert_eq!(still.entries(), [0.0; 10]);
}

/// Vectors whose entries are `mean` and independent noise of variance 1: a sum of twelve uniform numbers.
fn vectors(rng: &mut Uniform, rows: usize, dimensions: usize, mean: f64) -> Vec<f64> {
    let mut noise = || rng.many::<12>().iter().sum::<f64>() - 6.0;
    (0..rows * dimensions).map(|_| mean + noise()).collect()
}

#[test]
fn the_interval_holds_the_true_distance_about_as_often_as_it_says() {
    let mut rng = Uniform(11);
    for shift in [0.0, 0.1, 0.5] {
        let truth = shift * (16.0_f64).sqrt();
        let mut held = 0;
        for _ in 0..200 {
            let side = |rng: &mut Uniform, mean| Embeddings::new(vectors(rng, 80, 16, mean), 16).unwrap();
            let (a, b) = (side(&mut rng, 0.0), side(&mut rng, shift));
            let drift = centroid_drift(&a, &b, &mut rng).unwrap();
            held += u32::from(drift.interval.contains(truth));
        }
        // 95 % of 200 are 190, with a standard deviation of 3; where nothing moved the lower end is 0.
        assert!(held >= 180, "{held} of 200 at {shift}");
    }
}

#[test]
fn a_sample_serves_for_the_mean_of_many_more_rows() {
    let mut rng = Uniform(12);
    let (rows, dimensions) = (4_000, 8);
    let all = |rng: &mut Uniform, mean| vectors(rng, rows, dimensions, mean);
    let (before, now) = (all(&mut rng, 0.0), all(&mut rng, 0.05));
    let whole = |values: &[f64]| Embeddings::new(values.to_vec(), dimensions).unwrap();
    let some = |values: &[f64]| whole(&values[..400 * dimensions]);
    let exact = centroid_drift(&whole(&before), &whole(&now), &mut rng).unwrap();
    let (a, b) = (whole(&before).centroid(), whole(&now).centroid());
    let sampled = sampled_centroid_drift(
        Sampled { centroid: &a, sample: &some(&before) },
        Sampled { centroid: &b, sample: &some(&now) },
        &mut rng,
    )
    .unwrap();
    assert_eq!((sampled.euclidean, sampled.n_current), (exact.euclidean, 4_000));
    assert!(sampled.p_value < 0.01 && exact.p_value < 0.01);
    assert!((sampled.interval.upper / exact.interval.upper - 1.0).abs() < 0.05);
}

#[test]
fn a_mean_of_another_length_is_refused() {
    let sample = Embeddings::new(vec![1.0; 16], 2).unwrap();
    let (two, mut three) = (sample.centroid(), Centroid::default());
    three.add(&[1.0, 2.0, 3.0]);
    let side = |centroid| Sampled { centroid, sample: &sample };
    assert_eq!(
        sampled_centroid_drift(side(&two), side(&three), &mut Uniform(1)),
        Err(EmbeddingError::DimensionsDiffer { reference: 2, current: 3 })
    );
}

#[test]
fn projections_move_by_the_distance_of_the_means_in_spreads() {
    let mut rng = Uniform(13);
    let profile = |rng: &mut Uniform, mean: f64| {
        let (rows, dimensions) = (3_000, 64);
        let values = vectors(rng, rows, dimensions, 0.0);
        let mut profile = EmbeddingProfile::new(Fidelity::Exact);
        // Half of the entries move up and half down, so that no sign is favoured.
        let moved: Vec<f64> = values
            .iter()
            .enumerate()
            .map(|(at, x)| x + if (at % dimensions).is_multiple_of(2) { mean } else { -mean })
            .collect();
        profile.extend(&moved.chunks_exact(dimensions).collect::<Vec<_>>());
        profile
    };
    let (before, now) = (profile(&mut rng, 0.0), profile(&mut rng, 0.4));
    let medians = |profile: &EmbeddingProfile| -> Vec<f64> {
        profile.ecdfs()[1..].iter().map(|ecdf| ecdf.quantile(0.5).unwrap()).collect()
    };
    let squares: f64 = medians(&before).iter().zip(medians(&now)).map(|(a, b)| (a - b).powi(2)).sum();
    // Eight projections move by a normal number times 0.4 each: the mean square lies within these bounds.
    assert!((0.05..0.5).contains(&(squares / 8.0)), "{}", squares / 8.0);
}
