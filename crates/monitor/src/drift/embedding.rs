//! Drift of a column of embeddings: projections and norms as numbers, the mean vector, and how well rows
//! can be told apart by their vectors.

use rand_core::RngCore;
use stats::domain_classifier::domain_classifier;
use stats::ecdf::Ecdf;
use stats::embedding::{CentroidDrift, Embeddings, Sampled, sampled_centroid_drift};
use stats::interval::{Interval, Level};
use stats::principal_directions::principal_coordinates;
use stats::sketch::EmbeddingProfile;
use types::Measure;
use types::answer::{RowSample, SampledValues};
use types::column::ColumnKind;
use types::definition::{Definition, features};
use types::finding::Unmeasured;
use types::format;
use types::{Question, Schema, Window};

use super::alarm::Binned;
use super::{Assessment, Effect, numeric};
use crate::multivariate::classifier_options;

/// Vectors of more entries are brought to so many principal components before rows are told apart.
const COMPONENTS: usize = 16;
/// A norm that varies by less than this share of itself says nothing: vectors of length 1.
const NORM_VARIES: f64 = 1e-3;

const NORM: &str = "norm";
const PROJECTIONS: [&str; stats::sketch::vectors::PROJECTIONS] = [
    "projection_1",
    "projection_2",
    "projection_3",
    "projection_4",
    "projection_5",
    "projection_6",
    "projection_7",
    "projection_8",
];
const NORM_MEASURE: &str = "psi_of_norm";
const PROJECTIONS_MEASURE: &str = "psi_of_projections";

/// The rows of a window that it takes to tell vectors apart; `None` where no feature is an embedding.
pub(crate) fn sample_question(definition: &Definition, schema: &Schema, window: Window) -> Option<Question> {
    let columns: Vec<(String, ColumnKind)> = features(definition, schema)
        .into_iter()
        .filter_map(|name| schema.column(name))
        .filter(|column| column.kind == ColumnKind::Embedding)
        .map(|column| (column.name.clone(), column.kind))
        .collect();
    let rows = definition.monitor.multivariate.rows;
    (!columns.is_empty()).then_some(Question::Sample { features: columns, rows, outcomes: false, window })
}

/// The mean over the projections, and the norm.
pub(super) fn effects(before: &[Ecdf], now: &[Ecdf]) -> Vec<Effect> {
    let excesses: Vec<f64> =
        before.iter().zip(now).filter_map(|(a, b)| numeric::psi_excess_of(a, b)).collect();
    let Some((norm, projections)) = excesses.split_first().filter(|_| excesses.len() == before.len()) else {
        return Vec::new();
    };
    let mean = projections.iter().sum::<f64>() / projections.len().max(1) as f64;
    let mut effects = vec![Effect::psi(PROJECTIONS_MEASURE, &PROJECTIONS, mean)];
    if norm_varies(&before[0]) {
        effects.push(Effect::psi(NORM_MEASURE, &[NORM], *norm));
    }
    effects
}

fn norm_varies(norms: &Ecdf) -> bool {
    let at = |share| norms.quantile(share).unwrap_or(0.0);
    at(0.95) - at(0.05) > NORM_VARIES * at(0.5)
}

pub(super) fn streams(before: &[Ecdf], now: &[Ecdf]) -> Vec<(&'static str, Binned)> {
    let names = std::iter::once(NORM).chain(PROJECTIONS);
    let of =
        names.zip(before.iter().zip(now)).filter(|(name, (before, _))| *name != NORM || norm_varies(before));
    of.filter_map(|(name, (before, now))| Some((name, Binned::numbers(&numeric::bins(before)?, before, now))))
        .collect()
}

pub(super) fn assess(before: (&EmbeddingProfile, &[Ecdf]), now: (&EmbeddingProfile, &[Ecdf])) -> Assessment {
    let shown = usize::from(!norm_varies(&before.1[0]));
    let of = if shown == 0 { "norm of the vector" } else { "a projection of the vector" };
    let mut assessment = numeric::blank(&before.1[shown], &now.1[shown], Some(of));
    note_unusable(&mut assessment, before.0, now.0);
    if before.0.present() == 0 || now.0.present() == 0 {
        let which = if before.0.present() == 0 { "reference" } else { "current window" };
        let reason = format!("the {which} has no vector that can be compared");
        for name in ["psi", "centroid_distance"] {
            assessment.unmeasured.push(Unmeasured { name: name.into(), reason: reason.clone() });
        }
        return assessment;
    }
    if let Some(dimensions) = before.0.dimensions() {
        let method = "numbers in a vector";
        let of = Measure::new("dimensions", f64::from(dimensions), now.0.present(), method);
        assessment.measures.push(of);
    }
    let names = [PROJECTIONS_MEASURE, NORM_MEASURE];
    for effect in effects(before.1, now.1) {
        let which = if effect.of == names[0] { "mean over 8 fixed random projections" } else { "norms" };
        let method =
            format!("population stability index above chance in nats, {which}, deciles of the reference");
        assessment.measures.push(Measure {
            expected_by_chance: Some(0.0),
            ..Measure::new(effect.of, effect.excess, now.0.present(), method)
        });
    }
    assessment.distribution_p = smallest_p(before.1, now.1);
    assessment
}

/// Over all projections and the norm, adjusted for their number.
fn smallest_p(before: &[Ecdf], now: &[Ecdf]) -> Option<f64> {
    let tests = before.iter().zip(now).filter_map(|(before, now)| {
        Some(stats::kolmogorov_smirnov::kolmogorov_smirnov(before, now).ok()?.p_value)
    });
    let smallest = tests.reduce(f64::min)?;
    Some((smallest * before.len() as f64).min(1.0))
}

/// Says which rows are not compared, and why.
fn note_unusable(assessment: &mut Assessment, before: &EmbeddingProfile, now: &EmbeddingProfile) {
    let dimensions = before.dimensions().unwrap_or(0);
    let rows = |count: u64| format::counted(count, "row", "rows");
    if now.of_other_length() > 0 {
        assessment.notes.push(format!(
            "{} of the window {} a vector of another length than the {dimensions} numbers of the reference: another embedding model?",
            rows(now.of_other_length()),
            if now.of_other_length() == 1 { "has" } else { "have" },
        ));
    }
    if now.broken > 0 {
        assessment.notes.push(format!(
            "{} of the window {} a vector that is empty or holds a null, NaN or infinite number.",
            rows(now.broken),
            if now.broken == 1 { "has" } else { "have" },
        ));
    }
}

/// Adds what takes the vectors themselves: the distance of the means, and how well rows can be told apart.
pub(super) fn add_sampled(
    assessment: &mut Assessment,
    column: &str,
    (before, now): (&EmbeddingProfile, &EmbeddingProfile),
    samples: [Option<RowSample>; 2],
    with_classifier: bool,
    rng: &mut impl RngCore,
) {
    let (Some(dimensions), Some(a), Some(b)) = (before.dimensions(), before.centroid(), now.centroid())
    else {
        return;
    };
    let [reference, current] = samples.map(|sample| vectors(sample.as_ref(), column, dimensions));
    let (Some(reference), Some(current)) = (reference, current) else {
        let reason = "no row with a vector was drawn".into();
        assessment.unmeasured.push(Unmeasured { name: "centroid_distance".into(), reason });
        return;
    };
    let of = |centroid, sample| Sampled { centroid, sample };
    match sampled_centroid_drift(of(a, &reference), of(b, &current), rng) {
        Ok(drift) => {
            assessment.change =
                format!("{} ({dimensions} numbers)", moved_in_words(&drift, a.trace().sqrt()));
            assessment.measures.extend(centroid_measures(&drift, a.trace().sqrt(), reference.rows()));
        }
        Err(error) => {
            let reason = error.to_string();
            assessment.unmeasured.push(Unmeasured { name: "centroid_distance".into(), reason });
        }
    }
    if with_classifier {
        tell_apart(assessment, &reference, &current, rng);
    }
}

/// The vectors of a sample that have the right length and only finite numbers; `None` of none.
fn vectors(sample: Option<&RowSample>, column: &str, dimensions: u32) -> Option<Embeddings> {
    let values = &sample?.columns.iter().find(|sampled| sampled.name == column)?.values;
    let SampledValues::Vectors(rows) = values else { return None };
    let usable = rows
        .iter()
        .flatten()
        .filter(|vector| vector.len() == dimensions as usize && vector.iter().all(|entry| entry.is_finite()));
    let entries: Vec<f64> = usable.flatten().copied().collect();
    Embeddings::new(entries, dimensions as usize).ok().filter(|vectors| vectors.rows() > 0)
}

fn moved_in_words(drift: &CentroidDrift, spread: f64) -> String {
    if spread > 0.0 {
        format!(
            "the mean vector lies {} spreads from that of the reference, where chance alone gives {}",
            format::number(drift.euclidean / spread),
            format::number(drift.euclidean_expected_no_drift / spread)
        )
    } else {
        format!(
            "the mean vector lies {} from that of the reference, which does not vary",
            format::number(drift.euclidean)
        )
    }
}

/// In spreads of the reference, where it has any.
fn centroid_measures(drift: &CentroidDrift, spread: f64, sampled: usize) -> Vec<Measure> {
    let unit = if spread > 0.0 { spread } else { 1.0 };
    let how = if spread > 0.0 {
        "between the means of all rows, in root mean square distances of the reference's rows from their mean"
    } else {
        "between the means of all rows; the reference does not vary"
    };
    let interval =
        Interval { lower: drift.interval.lower / unit, upper: drift.interval.upper / unit, ..drift.interval };
    let distance = Measure {
        interval: Some(interval),
        expected_by_chance: Some(drift.euclidean_expected_no_drift / unit),
        p_value: Some(drift.p_value),
        ..Measure::new(
            "centroid_distance",
            drift.euclidean / unit,
            drift.n_current,
            format!(
                "Euclidean distance {how}; the interval is for the distance without sampling noise, it and p from {sampled} rows of the reference (Chen & Qin 2010)"
            ),
        )
    };
    let cosine = drift.cosine.map(|cosine| Measure {
        expected_by_chance: drift.cosine_expected_no_drift,
        ..Measure::new(
            "cosine_distance",
            cosine,
            drift.n_current,
            "1 − cosine of the angle between the means",
        )
    });
    std::iter::once(distance).chain(cosine).collect()
}

fn tell_apart(
    assessment: &mut Assessment,
    reference: &Embeddings,
    current: &Embeddings,
    rng: &mut impl RngCore,
) {
    let name = "domain_classifier_auc";
    match told_apart(reference, current, rng) {
        Ok(measure) => {
            assessment.told_apart = measure.interval.map(|interval| interval.lower);
            assessment.measures.push(measure);
        }
        Err(reason) => assessment.unmeasured.push(Unmeasured { name: name.into(), reason }),
    }
}

fn told_apart(
    reference: &Embeddings,
    current: &Embeddings,
    rng: &mut impl RngCore,
) -> Result<Measure, String> {
    let both = Embeddings::new([reference.entries(), current.entries()].concat(), reference.dimensions())
        .map_err(|error| error.to_string())?;
    // Found without looking at which side a row is from.
    let both = principal_coordinates(&both, COMPONENTS, rng);
    let length = both.dimensions();
    let (before, now) = both.entries().split_at(reference.rows() * length);
    let side = |entries: &[f64]| {
        let vectors = Embeddings::new(entries.to_vec(), length);
        vectors.map(|vectors| vectors.features()).map_err(|error| error.to_string())
    };
    let shift = domain_classifier(&side(before)?, &side(now)?, &classifier_options(), Level::P95, rng)
        .map_err(|error| error.to_string())?;
    let over = if length < reference.dimensions() {
        format!("{length} principal components")
    } else {
        format!("{length} numbers")
    };
    Ok(Measure {
        interval: Some(shift.interval),
        expected_by_chance: Some(0.5),
        p_value: Some(shift.p_value),
        ..Measure::new(
            "domain_classifier_auc",
            shift.area,
            shift.n_current,
            format!(
                "cross-validated AUC of boosted trees that tell the window from {} rows of the reference by {over} of the vector",
                shift.n_reference
            ),
        )
    })
}
