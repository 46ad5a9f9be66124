//! Servers that do everything wrong: real ones on loopback, a few bytes each.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serving::http::{DEGRADED_HEADER, Endpoint, Limits};
use serving::{Failure, FailureKind, Mlflow, OpenInference, Outcome, Reading, Scores, Target, by_row};
use types::batch::{Batch, BatchColumn, Values};
use ureq::Agent;

/// Serves every connection with a function until the test is over; a request is handed over with its body.
pub(crate) fn serve(mut answer: impl FnMut(&mut TcpStream, &str) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let request = request(&mut stream);
            answer(&mut stream, &request);
        }
    });
    port
}

/// The head and the body of a request, as far as the length that it names.
fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).unwrap_or(0);
        text += &String::from_utf8_lossy(&part[..read]);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if read == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

/// A whole answer.
pub(crate) fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let length = body.len();
    let text =
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
    let _ = stream.write_all(text.as_bytes());
}

pub(crate) fn endpoint(port: u16) -> Endpoint {
    let limits = Limits {
        connect: Duration::from_millis(500),
        call: Duration::from_millis(700),
        answer_bytes: 100_000,
    };
    Endpoint::new(Agent::new_with_defaults(), &format!("http://127.0.0.1:{port}"), &[])
        .unwrap()
        .with_limits(limits)
}

pub(crate) fn rows(numbers: &[f64]) -> Batch {
    let values = Values::Numbers(numbers.iter().map(|&number| Some(number)).collect());
    Batch::new(vec![BatchColumn { name: "x".into(), values }]).unwrap()
}

/// What comes of asking about three rows.
fn asked(port: u16) -> Outcome {
    Mlflow::new(endpoint(port), Reading::default()).outcome(&rows(&[1.0, 2.0, 3.0]))
}

#[track_caller]
fn check(answer: impl FnMut(&mut TcpStream, &str) + Send + 'static, kind: FailureKind, message: &str) {
    let start = Instant::now();
    let outcome = asked(serve(answer));
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert!(failure.kind == kind && failure.message.contains(message), "{failure}");
    assert!(start.elapsed() < Duration::from_secs(5), "{failure} took {:?}", start.elapsed());
}

#[test]
fn whatever_a_server_does_is_an_outcome_within_its_time() {
    use FailureKind::{
        Crashed, HungUp, Malformed, Overloaded, Redirected, TimedOut, TooFewRows, Unreachable,
    };
    check(|_, _| thread::sleep(Duration::from_secs(3)), TimedOut, "did not come within 700ms");
    check(drip, TimedOut, "did not come within 700ms");
    check(|stream, _| stream.shutdown(Shutdown::Both).unwrap(), HungUp, "hung up without an answer");
    check(|stream, _| stream.write_all(b"220 mail.example.org ESMTP\r\n\r\n").unwrap(), Malformed, "in HTTP");
    check(|stream, _| reply(stream, "200 OK", "", "<html>all is well</html>"), Malformed, "is not JSON");
    check(|stream, _| reply(stream, "200 OK", "", ""), Malformed, "is not JSON");
    check(
        |stream, _| reply(stream, "200 OK", "", "{\"predictions\": {}}"),
        Malformed,
        "no list of `predictions`",
    );
    check(|stream, _| reply(stream, "200 OK", "", &"[".repeat(50_000)), Malformed, "is not JSON");
    check(
        |stream, _| reply(stream, "200 OK", "", &"1".repeat(200_000)),
        Malformed,
        "longer than 100000 bytes",
    );
    check(cut_off, Malformed, "ends in the middle");
    check(
        |stream, _| reply(stream, "200 OK", "", "{\"predictions\": [1, 2]}"),
        TooFewRows,
        "3 rows were asked about and 2",
    );
    check(|stream, _| reply(stream, "200 OK", "", "[1, 2, 3, 4]"), Malformed, "which are which?");
    check(
        |stream, _| reply(stream, "200 OK", "", "[1, \"late\", 3]"),
        Malformed,
        "`late` where a number was expected",
    );
    check(
        |stream, _| reply(stream, "302 Found", "location: http://192.0.2.1/\r\n", ""),
        Redirected,
        "302 to http://192.0.2.1/",
    );
    check(|stream, _| reply(stream, "503 Busy", "", "queue is full"), Overloaded, "queue is full");
    check(|stream, _| reply(stream, "404 Not Found", "", ""), Unreachable, "/invocations answers 404");
    check(
        |stream, _| reply(stream, "502 Bad Gateway", "", "<h1>upstream</h1>"),
        Crashed,
        "502: <h1>upstream</h1>",
    );
}

/// A byte now and then, which no time-out of a single read would end.
fn drip(stream: &mut TcpStream, _: &str) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
    for _ in 0..30 {
        if stream.write_all(b" ").is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn cut_off(stream: &mut TcpStream, _: &str) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"predictions\": [1, 2");
}

#[test]
fn nobody_there_is_said() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Outcome::Failed(failure) = asked(port) else { panic!("somebody answered") };
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
    assert!(failure.message.contains(&format!("127.0.0.1:{port}")), "{failure}");
    let mut target = Mlflow::new(endpoint(port), Reading::default());
    assert_eq!(target.ready().unwrap_err().kind, FailureKind::Unreachable);
}

#[test]
fn numbers_that_are_none_are_told_from_those_that_are() {
    let body = "{\"predictions\": [0.25, NaN, -Infinity]}";
    let Outcome::NonFinite(accepted) = asked(serve(move |stream, _| reply(stream, "200 OK", "", body)))
    else {
        panic!("all finite")
    };
    assert_eq!(accepted.scores, Scores::Numbers(vec![Some(0.25), None, None]));
}

#[test]
fn rows_that_somebody_else_answered_are_marked() {
    let header = format!("{DEGRADED_HEADER}: 0, 2, 99\r\n");
    let port = serve(move |stream, _| reply(stream, "200 OK", &header, "[1, 2, 3]"));
    let Outcome::Accepted(accepted) = asked(port) else { panic!("no answer") };
    assert_eq!(accepted.degraded, [true, false, true]);
    let records = "[{\"p\": 1, \"degraded\": true}, {\"p\": 2}, {\"p\": 3, \"degraded\": false}]";
    let Outcome::Accepted(accepted) = asked(serve(move |stream, _| reply(stream, "200 OK", "", records)))
    else {
        panic!("no answer")
    };
    assert_eq!(accepted.degraded, [true, false, false]);
}

/// What the server was sent: exact values, NaN in Python's word, a redirect's target never asked.
#[test]
fn a_request_says_what_the_batch_has() {
    let (heard, hears) = mpsc::channel();
    let port = serve(move |stream, request| {
        heard.send(request.to_owned()).unwrap();
        reply(stream, "200 OK", "", "[1]");
    });
    let columns = [
        ("a\"b", Values::Numbers(vec![Some(f64::NAN)])),
        ("n", Values::Integers(vec![Some(9_007_199_254_740_993)])),
        ("t", Values::Texts(vec![None])),
    ];
    let columns = columns.map(|(name, values)| BatchColumn { name: name.into(), values });
    let batch = Batch::new(columns.to_vec()).unwrap();
    let endpoint = endpoint(port).with_header("authorization", "Bearer x");
    Mlflow::new(endpoint, Reading::default()).outcome(&batch);
    let request = hears.recv().unwrap();
    assert!(request.starts_with("POST /invocations HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer x\r\n"), "{request}");
    let body = r#"{"dataframe_split":{"columns":["a\"b","n","t"],"data":[[NaN,9007199254740993,null]]}}"#;
    assert!(request.ends_with(body), "{request}");
}

#[test]
fn a_row_that_breaks_a_server_is_found() {
    let port = serve(|stream, request| {
        let body = request.split_once("\r\n\r\n").unwrap().1;
        if body.contains("13.0") {
            return reply(stream, "500 Internal Server Error", "", "{\"error\": \"unlucky\"}");
        }
        let rows = body.matches('.').count();
        let values = vec!["0.5"; rows].join(",");
        let outputs = format!(
            "{{\"outputs\":[{{\"name\":\"p\",\"shape\":[{rows}],\"datatype\":\"FP64\",\"data\":[{values}]}}]}}"
        );
        reply(stream, "200 OK", "", &outputs);
    });
    let mut target = OpenInference::new(endpoint(port), "m", None, Reading::default());
    let numbers: Vec<f64> = (0..64).map(f64::from).collect();
    let found = by_row(&mut target, &rows(&numbers), 100);
    assert_eq!(found.failures.len(), 1);
    assert_eq!(found.failures[0].failure, Failure::new(FailureKind::Crashed, "500: unlucky"));
    assert_eq!((&found.failures[0].rows, found.failures[0].alone), (&vec![13], true));
    assert_eq!(found.calls, 13);
}
