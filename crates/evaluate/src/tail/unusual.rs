//! Rows with inputs that the reference has seldom or never seen: the curve over rarity, kinds of them, and the columns
//! that leave the reference's range.

use rand_core::RngCore;
use stats::interval::Level;
use stats::learn::Features;
use stats::rarity::{ColumnCounts, ForestOptions, IsolationForest, UnusualOptions, deciles, unusual_values};
use types::detail::{OutsideRow, RarityRow, TailDetail};
use types::format::counted;
use types::performance::without_failed_to;

use super::{Pool, RARE_INPUTS, enough, members, rows_least};
use crate::rows::{LEARNER_ROWS, Rows, mean_of};

/// A category is rare when the reference has it in at most this part of `rare_share`; the ones above that are
/// looked at by themselves, so that what happens on the rarest is not hidden among them.
const RARE_CATEGORY_PART: f64 = 0.1;
/// The paper's own choice: more trees hardly change a rank.
const FOREST: ForestOptions = ForestOptions { trees: 100, rows_per_tree: 256 };
/// Columns with unusual values that are kept.
const OUTSIDE_KEPT: usize = 20;

/// Rows with inputs that the reference has seldom or never seen; fills in the curve over rarity.
pub(super) fn unusual(
    rows: &Rows<'_>,
    tail: &mut TailDetail,
    rng: &mut impl RngCore,
) -> Result<Vec<Pool>, String> {
    if let Some(reason) = rows.no_inputs() {
        return Err(reason);
    }
    let n = rows.reference_losses.len();
    if (n as u64) < rows.scope.definition.evaluate.min_rows {
        return Err(format!("the reference has {} with outcomes", counted(n as u64, "row", "rows")));
    }
    let settings = &rows.scope.definition.evaluate.tail;
    let reference = rows.reference_features_at(0..n.min(LEARNER_ROWS))?;
    let features = rows.features()?;
    let forest = IsolationForest::fit(&reference, &FOREST, rng).map_err(|error| without_failed_to(&error))?;
    let usual = forest.scores(&reference).map_err(|error| without_failed_to(&error))?;
    let scores = forest.scores(&features).map_err(|error| without_failed_to(&error))?;
    let of_rows = deciles(&usual, &scores).map_err(|error| without_failed_to(&error))?;
    tail.deciles = (1..=10)
        .map(|decile| {
            let losses: Vec<f64> = members(&of_rows, |&of_row| of_row == decile, &rows.losses);
            RarityRow {
                decile: u32::from(decile),
                rows: losses.len() as u64,
                mean_loss: enough(&losses).and_then(|losses| mean_of(rows.loss(), losses, Level::P95)),
            }
        })
        .collect();
    let mut sorted = usual;
    sorted.sort_by(f64::total_cmp);
    // Rows of the reference beyond this score are at most the rare share, ties or not.
    let rank = ((1.0 - settings.rare_share) * sorted.len() as f64).ceil() as usize;
    let usual_up_to = sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::INFINITY);
    let options = UnusualOptions {
        rare_share: settings.rare_share * RARE_CATEGORY_PART,
        uncommon_share: settings.uncommon_share,
        ..UnusualOptions::default()
    };
    let values =
        unusual_values(&reference, &features, &options).map_err(|error| without_failed_to(&error))?;
    tail.outside = outside(rows, (&reference, &features), &values.columns);
    Ok(vec![
        Pool::new(RARE_INPUTS, scores.iter().map(|&score| score > usual_up_to).collect()),
        Pool::new(
            "rare or new categories",
            values.rows.iter().map(|row| row.rare + row.never_seen > 0).collect(),
        ),
        Pool::new("uncommon categories", values.rows.iter().map(|row| row.uncommon > 0).collect()),
        Pool::new(
            "numbers outside the reference's range",
            values.rows.iter().map(|row| row.out_of_range > 0).collect(),
        ),
    ])
}

/// Columns with values that the reference does not have, and what their rows lose.
fn outside(
    rows: &Rows<'_>,
    (reference, features): (&Features, &Features),
    counts: &[ColumnCounts],
) -> Vec<OutsideRow> {
    let mut found: Vec<(usize, u64)> = counts
        .iter()
        .map(|of| of.below + of.above + of.never_seen)
        .enumerate()
        .filter(|(_, rows)| *rows > 0)
        .collect();
    found.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then_with(|| name(rows, *a).cmp(name(rows, *b))));
    found.truncate(OUTSIDE_KEPT);
    let row = |(at, n): (usize, u64)| {
        let losses = column(reference, at)
            .zip(column(features, at))
            .map(|(known, asked)| losses_outside(rows, &known, &asked))
            .filter(|losses| losses.len() as u64 >= rows_least(rows));
        OutsideRow {
            column: name(rows, at).to_owned(),
            rows: n,
            mean_loss: losses.and_then(|losses| mean_of(rows.loss(), losses, Level::P95)),
        }
    };
    found.into_iter().map(row).collect()
}

fn name<'a>(rows: &'a Rows<'_>, column: usize) -> &'a str {
    rows.feature_names().get(column).map_or("", String::as_str)
}

fn column(features: &Features, at: usize) -> Option<Features> {
    Features::new(features.columns().get(at..=at)?.to_vec()).ok()
}

/// The losses of the rows whose value of the one column the reference does not have.
fn losses_outside(rows: &Rows<'_>, known: &Features, asked: &Features) -> Vec<f64> {
    let values = unusual_values(known, asked, &UnusualOptions::default()).map(|of| of.rows);
    members(&values.unwrap_or_default(), |of| of.never_seen + of.out_of_range > 0, &rows.losses)
}
