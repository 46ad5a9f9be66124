//! Faults of a server, made by the proxy and seen by real clients: the adapters of this crate, and curl.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serving::chaos::{Draws, FaultProxy};
use serving::{FailureKind, Mlflow, Outcome, Reading, Target};
use types::endpoint::EndpointFault;

use crate::broken_servers::{endpoint, reply, rows, serve};
use crate::fixtures::scored;

const ANSWER: &str = "{\"predictions\": [0.25, 0.5, 0.75]}";

/// A proxy in front of a server that answers rightly.
fn proxied() -> FaultProxy {
    let port = serve(|stream, _| reply(stream, "200 OK", "content-type: application/json\r\n", ANSWER));
    FaultProxy::start("127.0.0.1:0".parse().unwrap(), endpoint(port)).unwrap()
}

fn asked(proxy: &FaultProxy) -> Outcome {
    Mlflow::new(endpoint(proxy.address().port()), Reading::default()).outcome(&rows(&[1.0, 2.0, 3.0]))
}

/// Every request is struck, and by half.
fn always() -> Draws {
    Box::new(|| 0.5)
}

#[test]
fn without_a_fault_the_proxy_passes_on_requests_and_answers() {
    let port = serve(|stream, request| {
        assert!(request.starts_with("POST /v1/x?y=z HTTP/1.1\r\n"), "{request}");
        assert!(
            request.to_lowercase().contains("x-caller: me\r\n") && request.ends_with("\r\n\r\n{\"a\": 1}"),
            "{request}"
        );
        reply(stream, "418 I'm a teapot", "x-forewarn-degraded: 0\r\n", ANSWER);
    });
    let proxy = FaultProxy::start("127.0.0.1:0".parse().unwrap(), endpoint(port)).unwrap();
    let address = format!("http://{}/v1/x?y=z", proxy.address());
    let Some(said) = curl(&["-i", "-H", "x-caller: me", "-d", "{\"a\": 1}", &address]) else { return };
    assert_eq!(said.0, 0);
    assert!(said.1.starts_with("HTTP/1.1 418 I'm a teapot\r\n") && said.1.ends_with(ANSWER), "{}", said.1);
    assert!(said.1.contains("x-forewarn-degraded: 0\r\n"), "{}", said.1);
    assert_eq!(proxy.seen(), 1);
}

#[test]
fn every_fault_is_seen_by_a_caller_as_what_it_is_and_is_gone_afterwards() {
    use EndpointFault::{ErrorPage, MalformedJson, NoAnswer, Reset, SlowBody, Status, TruncatedBody};
    let proxy = proxied();
    let check = |fault: EndpointFault, kind: FailureKind, message: &str| {
        let injection = proxy.inject(fault, 1.0, always());
        let Outcome::Failed(failure) = asked(&proxy) else { panic!("{fault:?} did not happen") };
        assert!(failure.kind == kind && failure.message.contains(message), "{fault:?}: {failure}");
        assert_eq!(injection.struck(), 1);
        drop(injection);
        assert_eq!(scored(asked(&proxy)), [0.25, 0.5, 0.75], "after {fault:?}");
    };
    check(NoAnswer, FailureKind::TimedOut, "did not come within 700ms");
    check(Reset, FailureKind::HungUp, "hung up without an answer");
    check(SlowBody { over_ms: 3000 }, FailureKind::TimedOut, "did not come within 700ms");
    check(TruncatedBody, FailureKind::Malformed, "ends in the middle");
    check(Status { code: 400 }, FailureKind::RejectedOrCrashed, "Bad Request");
    check(Status { code: 429 }, FailureKind::Overloaded, "Too Many Requests");
    check(Status { code: 500 }, FailureKind::RejectedOrCrashed, "Internal Server Error");
    check(Status { code: 503 }, FailureKind::Overloaded, "Service Unavailable");
    check(MalformedJson, FailureKind::Malformed, "is not JSON");
    check(ErrorPage, FailureKind::Malformed, "is not JSON");
}

#[test]
fn slow_answers_are_right_and_as_late_as_they_should_be() {
    let proxy = proxied();
    let took = |fault| {
        let _injection = proxy.inject(fault, 1.0, always());
        let start = Instant::now();
        assert_eq!(scored(asked(&proxy)), [0.25, 0.5, 0.75]);
        start.elapsed()
    };
    let late = took(EndpointFault::Latency { delay_ms: 300 });
    assert!((300..650).contains(&late.as_millis()), "{late:?}");
    let slow = took(EndpointFault::SlowBody { over_ms: 300 });
    assert!((280..650).contains(&slow.as_millis()), "{slow:?}");
    let mut at = 0.0;
    let eighths = Box::new(move || {
        at = (at + 1.0_f64 / 16.0).fract();
        at
    });
    let _injection = proxy.inject(EndpointFault::Jitter { delay_ms_most: 400 }, 1.0, eighths);
    let mut times: Vec<u128> = (0..8)
        .map(|_| {
            let start = Instant::now();
            asked(&proxy);
            start.elapsed().as_millis()
        })
        .collect();
    times.sort_unstable();
    assert!(times[0] < 120 && times[7] > 300, "{times:?}");
}

#[test]
fn a_share_of_the_requests_is_struck() {
    let proxy = proxied();
    // The first of each two numbers says whether the request is struck.
    let mut drawn = [0.2, 0.0, 0.3, 0.0, 0.9, 0.0, 0.1, 0.0].into_iter().cycle();
    let draws = Box::new(move || drawn.next().unwrap());
    let injection = proxy.inject(EndpointFault::Status { code: 503 }, 0.25, draws);
    let is_struck: Vec<bool> = (0..8).map(|_| matches!(asked(&proxy), Outcome::Failed(_))).collect();
    assert_eq!(is_struck, [true, false, false, true].repeat(2));
    assert_eq!(injection.struck(), 4);
}

#[test]
fn requests_that_are_held_back_are_let_go_when_the_fault_is_over_and_connections_when_the_proxy_is() {
    let proxy = proxied();
    let address = proxy.address();
    let injection = proxy.inject(EndpointFault::NoAnswer, 1.0, always());
    let start = Instant::now();
    let held = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"POST /invocations HTTP/1.1\r\ncontent-length: 0\r\n\r\n").unwrap();
        // The connection ends with nothing on it.
        std::io::read_to_string(stream).unwrap()
    });
    while injection.struck() == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    drop(injection);
    assert_eq!(held.join().unwrap(), "");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    drop(proxy);
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn a_fault_is_taken_away_also_where_the_program_panics_while_it_lasts() {
    let proxy = proxied();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _injection = proxy.inject(EndpointFault::Reset, 1.0, always());
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(scored(asked(&proxy)), [0.25, 0.5, 0.75]);
}

/// What curl says: its exit status (man curl, "EXIT CODES"), and what it printed; `None` where there is no curl.
fn curl(arguments: &[&str]) -> Option<(i32, String)> {
    let output =
        Command::new("curl").args(["-sS", "--noproxy", "*", "--max-time", "2"]).args(arguments).output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: there is no curl");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Some((output.status.code().unwrap(), said.into_owned()))
}

#[test]
fn curl_sees_the_same_faults() {
    let proxy = proxied();
    let address = format!("http://{}/invocations", proxy.address());
    let check = |fault: EndpointFault, status: i32, part: &str| {
        let _injection = proxy.inject(fault, 1.0, always());
        let Some(said) = curl(&["-d", "{}", &address]) else { return };
        assert!(said.0 == status && said.1.contains(part), "{fault:?}: {said:?}");
    };
    check(EndpointFault::NoAnswer, 28, "timed out");
    check(EndpointFault::Reset, 56, "reset");
    check(EndpointFault::SlowBody { over_ms: 6000 }, 28, "timed out");
    check(EndpointFault::TruncatedBody, 18, &ANSWER[..ANSWER.len() / 2]);
    check(EndpointFault::Status { code: 503 }, 0, "Service Unavailable");
    check(EndpointFault::MalformedJson, 0, &ANSWER[..ANSWER.len() / 2]);
    check(EndpointFault::ErrorPage, 0, "<html>");
    check(EndpointFault::Latency { delay_ms: 10 }, 0, ANSWER);
}
