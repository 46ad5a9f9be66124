//! What a prediction and its outcome are in SQL, by task.

use datafusion::arrow::datatypes::DataType;
use stats::sketch::Fidelity;
use types::definition::{Outcome, Output};

use crate::aggregate::{ClassifiedSummary, ErrorsSummary, ScoredSummary, function_name};
use crate::open::Log;
use crate::row_hash;
use crate::sql::{quoted, text_literal};

/// Numbers from here on are no outcomes, and no predictions of one: the powers that moments need would not be finite.
pub(crate) const LARGEST_OUTCOME: f64 = 1e72;

/// The SQL of a task.
pub(crate) struct Truth {
    /// An outcome as what the task predicts; null where the value is none.
    pub(crate) label: String,
    /// The same as something that has an order.
    pub(crate) ordered: String,
    /// An aggregate for outcomes that all agree.
    pub(crate) agreed: String,
    /// The type of `label`.
    pub(crate) type_name: &'static str,
    /// What of a prediction is passed on, with names.
    pub(crate) predictions: String,
}

impl Truth {
    /// For outcomes in a column of the outcome table, or of the log where there is none.
    pub(crate) fn of(log: &Log<'_>, outcome: Option<&Outcome>) -> Self {
        let column = outcome.map_or("NULL".to_owned(), |outcome| quoted(&outcome.column));
        let (label, type_name) = match log.roles.output() {
            Output::Score(_) => (
                format!(
                    "(CASE WHEN CAST({column} AS DOUBLE) = 1 THEN true WHEN CAST({column} AS DOUBLE) = 0 THEN false END)"
                ),
                "BOOLEAN",
            ),
            Output::Number(_) => (
                // NaN compares as larger than every number.
                format!(
                    "(CASE WHEN abs(CAST({column} AS DOUBLE)) < {LARGEST_OUTCOME:e} THEN CAST({column} AS DOUBLE) END)"
                ),
                "DOUBLE",
            ),
            Output::Probabilities { .. } => {
                let schema = log.outcomes.as_ref().map_or(&log.log.schema, |outcomes| &outcomes.schema);
                let field = outcome.and_then(|outcome| schema.field_with_name(&outcome.column).ok());
                let data_type = field.map_or(DataType::Null, |field| field.data_type().clone());
                (class_sql(&column, &data_type, &log.roles.classes()), "INT")
            }
        };
        let is_boolean = type_name == "BOOLEAN";
        Self {
            ordered: if is_boolean { format!("CAST({label} AS INT)") } else { label.clone() },
            agreed: if is_boolean { format!("bool_or({label})") } else { format!("min({label})") },
            label,
            type_name,
            predictions: predictions_sql(log),
        }
    }
}

/// The prediction's columns: `score`, and for several classes the hash, the predicted class and each
/// probability.
fn predictions_sql(log: &Log<'_>) -> String {
    match log.roles.output() {
        Output::Score(column) | Output::Number(column) => format!("p.{} AS score", quoted(column)),
        Output::Probabilities { scores, predicted } => {
            let data_type = |column: &str| {
                let field = log.log.schema.field_with_name(column).ok();
                field.map_or(DataType::Null, |field| field.data_type().clone())
            };
            // What is not named is told from the probabilities.
            let predicted = predicted.map_or("CAST(-1 AS INT)".to_owned(), |column| {
                class_sql(&format!("p.{}", quoted(column)), &data_type(column), &log.roles.classes())
            });
            let scores: String = scores
                .values()
                .enumerate()
                .map(|(class, column)| format!(", p.{} AS {}", quoted(column), score_column(class)))
                .collect();
            format!(
                "CAST(NULL AS DOUBLE) AS score, {} AS __row_hash, {predicted} AS __predicted{scores}",
                hash_sql(log, "p.")
            )
        }
    }
}

pub(crate) fn score_column(class: usize) -> String {
    format!("__score_{class}")
}

/// Columns of which a row's hash is made at most.
const COLUMNS_OF_A_HASH: usize = 16;

/// The hash of a row's id; of what it says where the log has no id.
pub(crate) fn hash_sql(log: &Log<'_>, table: &str) -> String {
    let columns = log.roles.id.as_deref().map_or_else(|| told_apart_by(log), |id| vec![id]);
    let columns: Vec<String> =
        columns.into_iter().map(|column| format!("{table}{}", quoted(column))).collect();
    format!("{}({})", row_hash::NAME, columns.join(", "))
}

/// Columns by which rows without an id are told apart: all that can be written as text, since a hash of the score
/// alone would put equal scores together; of many the time, the score and others from all over the table, so that
/// drawing rows does not read all of it.
fn told_apart_by<'l>(log: &'l Log<'_>) -> Vec<&'l str> {
    let fields = log.log.schema.fields().iter();
    let columns: Vec<&str> =
        fields.filter(|field| !field.data_type().is_nested()).map(|field| field.name().as_str()).collect();
    if columns.len() <= COLUMNS_OF_A_HASH {
        return columns;
    }
    let of_the_row = [log.roles.time.as_str(), log.roles.score.as_str()];
    let mut chosen: Vec<&str> = columns.iter().copied().filter(|name| of_the_row.contains(name)).collect();
    let others: Vec<&str> = columns.into_iter().filter(|name| !chosen.contains(name)).collect();
    let free = COLUMNS_OF_A_HASH - chosen.len();
    chosen.extend((0..free).map(|at| others[at * others.len() / free]));
    chosen
}

/// The aggregate over predictions with outcomes.
pub(crate) fn aggregate_sql(log: &Log<'_>, fidelity: Fidelity) -> String {
    match log.roles.output() {
        Output::Score(_) => format!("{}(score, outcome)", function_name::<ScoredSummary>(fidelity)),
        Output::Number(_) => format!("{}(score, outcome)", function_name::<ErrorsSummary>(fidelity)),
        Output::Probabilities { scores, .. } => {
            let columns: String =
                (0..scores.len()).map(|class| format!(", {}", score_column(class))).collect();
            format!(
                "{}(__row_hash, __predicted, outcome{columns})",
                function_name::<ClassifiedSummary>(fidelity)
            )
        }
    }
}

/// The position of the class that a column names; null where it names none.
fn class_sql(column: &str, data_type: &DataType, classes: &[&str]) -> String {
    let is_number = data_type.is_numeric();
    let cases: String = classes
        .iter()
        .enumerate()
        .filter_map(|(at, class)| {
            if is_number {
                let number = class.parse::<f64>().ok().filter(|number| number.is_finite())?;
                Some(format!(" WHEN CAST({column} AS DOUBLE) = {number:e} THEN {at}"))
            } else {
                Some(format!(" WHEN CAST({column} AS VARCHAR) = {} THEN {at}", text_literal(class)))
            }
        })
        .collect();
    if cases.is_empty() { "CAST(NULL AS INT)".into() } else { format!("CAST(CASE{cases} END AS INT)") }
}

/// The name of the class that a row was called.
pub(crate) fn predicted_class_sql(log: &Log<'_>) -> String {
    match log.roles.output() {
        Output::Probabilities { predicted: Some(column), .. } => {
            format!("CAST({} AS VARCHAR)", quoted(column))
        }
        Output::Probabilities { scores, .. } => {
            let columns: Vec<String> =
                scores.values().map(|column| format!("CAST({} AS DOUBLE)", quoted(column))).collect();
            let missing: Vec<String> =
                columns.iter().map(|column| format!("{column} IS NULL OR isnan({column})")).collect();
            let largest = format!("greatest({})", columns.join(", "));
            let cases: String = columns
                .iter()
                .zip(scores.keys())
                .map(|(column, class)| format!(" WHEN {column} = {largest} THEN {}", text_literal(class)))
                .collect();
            format!("CASE WHEN {} THEN NULL{cases} END", missing.join(" OR "))
        }
        Output::Score(column) | Output::Number(column) => {
            let score = quoted(column);
            let threshold = log.roles.threshold;
            // NaN compares as larger than every number, so it is taken out first.
            format!(
                "CASE WHEN isnan(CAST({score} AS DOUBLE)) THEN NULL \
                 WHEN {score} >= {threshold:e} THEN 'positive' WHEN {score} < {threshold:e} THEN 'negative' END"
            )
        }
    }
}

/// What the probabilities of a row add up to.
pub(crate) fn score_sum_sql(log: &Log<'_>) -> String {
    let columns = log.roles.score_columns();
    let columns: Vec<String> =
        columns.into_iter().map(|column| format!("CAST({} AS DOUBLE)", quoted(column))).collect();
    columns.join(" + ")
}
