//! Ids that repeat or are missing.

use types::{Answers, Finding, Question, Subject, Verdict, format};

use super::{SHARE_FAIL, finding, share_measure, share_threshold};
use crate::Scope;

/// The question whether the log's ids repeat; `None` where the definition names no id.
pub(crate) fn question(scope: Scope<'_>) -> Option<Question> {
    let column = scope.definition.log.id.clone()?;
    Some(Question::Identity { column, window: scope.window })
}

pub(super) fn repeated_ids(scope: Scope<'_>, answers: &Answers) -> Option<Finding> {
    let identity = answers.identity(&question(scope)?)?;
    let bad = identity.surplus_rows + identity.null_ids;
    if bad == 0 {
        return None;
    }
    let id = scope.definition.log.id.as_deref().unwrap_or("id");
    let mut parts = Vec::new();
    if identity.repeated_ids > 0 {
        parts.push(format!(
            "{} of `{id}` {} on more than one row ({} too many)",
            format::counted(identity.repeated_ids, "value", "values"),
            if identity.repeated_ids == 1 { "stands" } else { "stand" },
            format::counted(identity.surplus_rows, "row", "rows"),
        ));
    }
    if identity.null_ids > 0 {
        parts.push(format!("{} no `{id}`", format::counted(identity.null_ids, "row has", "rows have")));
    }
    let summary = format!(
        "{}. Repeated predictions count more than once in every number here; find out whether the log was written twice.",
        format::capitalised(&parts.join(", and "))
    );
    let measure = share_measure("repeated_id_share", bad, identity.rows);
    let verdict = if measure.value >= SHARE_FAIL { Verdict::Fail } else { Verdict::Warn };
    let mut finding = finding(scope, Subject::Log, verdict, summary, vec![measure]);
    finding.thresholds.push(share_threshold("repeated_id_share"));
    Some(finding)
}
