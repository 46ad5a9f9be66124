//! Random events of a world so small that they meet, for tests.

use jiff::Timestamp;
use proptest::prelude::*;

pub(crate) fn at(minute: u32) -> Timestamp {
    format!("2013-05-01T{:02}:{:02}:00Z", minute / 60, minute % 60).parse().unwrap()
}

/// An event of one of few runs, jobs, datasets and versions, so that events meet.
pub(crate) fn event() -> impl Strategy<Value = String> {
    let dataset = (0..4_u8, 0..4_u8).prop_map(|(name, version)| {
        let facets = match version {
            0 => String::new(),
            1 => r#""version":{"datasetVersion":"v1"},"schema":{"fields":[{"name":"x"}]}"#.to_owned(),
            _ => format!(
                r#""forewarn_digest":{{"digest":"{}","of":"rows"}},"version":{{"datasetVersion":"v{}"}}"#,
                version.to_string().repeat(64),
                version % 2
            ),
        };
        format!(r#"{{"namespace":"n:1","name":"d{name}","facets":{{{facets}}}}}"#)
    });
    let datasets = || prop::collection::vec(dataset.clone(), 0..3).prop_map(|list| list.join(","));
    let transition = prop::sample::select(vec!["START", "RUNNING", "COMPLETE", "FAIL", "OTHER"]);
    (transition, 0..3_u8, 0..3_u32, datasets(), datasets(), 0..2_u8).prop_map(
        |(transition, run, minute, inputs, outputs, code)| {
            let (time, job) = (at(minute), run % 2);
            format!(
                r#"{{"eventType":"{transition}","eventTime":"{time}","producer":"p{code}","run":{{"runId":"r{run}"}},
                "job":{{"namespace":"n:1","name":"j{job}","facets":{{"sourceCodeLocation":{{"version":"{code}"}}}}}},
                "inputs":[{inputs}],"outputs":[{outputs}]}}"#
            )
        },
    )
}
