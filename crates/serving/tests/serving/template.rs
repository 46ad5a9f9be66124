//! A server with a form of its own.

use serde_json::{Value, json};
use serving::{Outcome, Reading, Target, Template, TemplateError};

use crate::broken_servers::{endpoint, reply, rows, serve};
use crate::fixtures::scored;

/// Answers `{"answer": {"list": […]}}` or, for one row, `{"answer": {"p": …}}` with what is asked about, halved.
fn halves() -> u16 {
    serve(|stream, request| {
        let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(body["version"], 2);
        let half = |row: &Value| row["x"].as_f64().unwrap() / 2.0;
        let answer = match &body["ask"] {
            Value::Array(rows) => {
                json!({"list": rows.iter().map(|row| json!({"p": half(row)})).collect::<Vec<_>>()})
            }
            row => json!({"p": half(row)}),
        };
        reply(stream, "200 OK", "", &json!({"answer": answer}).to_string());
    })
}

#[test]
fn rows_go_where_the_template_has_them() {
    let reading = Reading { field: Some("p".into()), ..Reading::default() };
    for (placeholder, pointer) in [("{records}", "/answer/list"), ("{record}", "/answer")] {
        let request = json!({"version": 2, "ask": placeholder});
        let mut target = Template::new(endpoint(halves()), request, pointer, reading.clone()).unwrap();
        assert_eq!(scored(target.outcome(&rows(&[1.0, 3.0]))), [0.5, 1.5], "{placeholder}");
    }
    let request = json!({"version": 2, "ask": "{records}"});
    let mut target = Template::new(endpoint(halves()), request, "/results", reading).unwrap();
    let Outcome::Failed(failure) = target.outcome(&rows(&[1.0])) else { panic!("it was found") };
    assert_eq!(failure.to_string(), "malformed answer: the answer has nothing at `/results`");
}

#[test]
fn a_template_without_rows_is_refused() {
    let without = Template::new(endpoint(1), json!({"a": ["rows"]}), "", Reading::default());
    assert_eq!(without.unwrap_err(), TemplateError::NoRows);
    let pointer = Template::new(endpoint(1), json!("{rows}"), "predictions", Reading::default());
    assert!(pointer.unwrap_err().to_string().contains("starts with `/`"));
}
