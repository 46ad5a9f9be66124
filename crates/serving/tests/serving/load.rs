//! Requests at their times, to real servers whose capacity and delays are known.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serving::load::{Callers, Early, FAILURES_IN_A_ROW, Ran};
use serving::{FailureKind, Mlflow, Outcome, Reading, Stop, Target};

use crate::broken_servers::{endpoint, rows};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A server that keeps connections, a thread for each; a function says what is done with a request.
fn keeping(answer: impl Fn() -> &'static str + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            thread::spawn(move || while served(&client, answer.as_ref()).is_some() {});
        }
    });
    port
}

fn served(client: &TcpStream, answer: &dyn Fn() -> &'static str) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let status = answer();
    let body = "{\"predictions\": [0.5]}";
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    (&*client).write_all(head.as_bytes()).ok()
}

/// Keeps a schedule against the server at a port.
fn kept(port: u16, times: &[Duration], in_flight: usize, within: Duration, stop: &Stop) -> Ran {
    let make = move || Box::new(Mlflow::new(endpoint(port), Reading::default())) as Box<dyn Target>;
    let mut callers = Callers::new(&make, vec![rows(&[1.0]), rows(&[2.0])], in_flight);
    callers.keep(times, Instant::now() + within, stop)
}

fn every(gap: Duration, count: u32) -> Vec<Duration> {
    (0..count).map(|at| gap * at).collect()
}

/// A server that serves one request after the other, each for so long.
fn one_after_the_other(service: Duration) -> u16 {
    let busy = Mutex::new(());
    keeping(move || {
        let _turn = busy.lock().unwrap();
        thread::sleep(service);
        "200 OK"
    })
}

#[test]
fn what_a_server_can_do_is_answered_and_latencies_are_its_time() {
    let ran = kept(one_after_the_other(ms(4)), &every(ms(20), 100), 16, ms(20_000), &Stop::default());
    assert_eq!((ran.sent.len(), ran.dropped.len(), ran.early), (100, 0, None));
    assert!(ran.sent.iter().all(|sent| matches!(sent.outcome, Outcome::Accepted(_))));
    assert!(ran.sent.iter().all(|sent| sent.latency >= ms(4)), "no answer comes before its time");
    let mut latencies: Vec<Duration> = ran.sent.iter().map(|sent| sent.latency).collect();
    latencies.sort();
    assert!(latencies[50] < ms(15), "{:?}", latencies[50]);
    // Both requests are asked about in turn.
    assert_eq!(ran.sent.iter().filter(|sent| sent.request == 0).count(), 50);
}

/// While a server is stuck, requests whose time comes are late by what is left of it: their latencies fall evenly from
/// the whole pause to none. A tool that waits for answers would see one late request.
#[test]
fn a_pause_of_the_server_is_in_the_latency_of_every_request_that_was_meant_to_be_sent_in_it() {
    let start = Instant::now();
    let port = keeping(move || {
        let at = start.elapsed();
        if (ms(500)..ms(1000)).contains(&at) {
            thread::sleep(ms(1000).saturating_sub(at));
        }
        "200 OK"
    });
    let times = every(ms(10), 150);
    let begun = start.elapsed();
    let ran = kept(port, &times, 200, ms(20_000), &Stop::default());
    assert_eq!((ran.sent.len(), ran.dropped.len()), (150, 0));
    let stuck = ms(500).saturating_sub(begun)..ms(1000).saturating_sub(begun);
    let expected = times.iter().filter(|time| stuck.contains(time) && stuck.end >= **time + ms(250)).count();
    let late = ran.sent.iter().filter(|sent| sent.latency >= ms(250)).count();
    assert!(
        (22..=27).contains(&expected) && late.abs_diff(expected) <= 4,
        "{late} late, {expected} expected"
    );
}

/// Ten milliseconds for each request, one after the other, and requests at random times at half of its capacity: the mean
/// latency is that of Pollaczek and Khinchine, with the time of service that the server really took.
#[test]
fn the_mean_latency_of_a_queue_is_that_of_queueing_theory() {
    let service = Arc::new(Mutex::new((Duration::ZERO, 0_u32)));
    let (taken, busy) = (Arc::clone(&service), Mutex::new(()));
    let port = keeping(move || {
        let _turn = busy.lock().unwrap();
        let start = Instant::now();
        thread::sleep(ms(10));
        let mut taken = taken.lock().unwrap();
        *taken = (taken.0 + start.elapsed(), taken.1 + 1);
        "200 OK"
    });
    // Exponential gaps with a mean of 20 ms, from multiples of the golden ratio in an order of their own.
    let mut at = 0.0;
    let mut state = 7_u64;
    let times: Vec<Duration> = (0..600)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let uniform = (state >> 11) as f64 / (1_u64 << 53) as f64;
            at -= (1.0 - uniform).ln() * 0.02;
            Duration::from_secs_f64(at)
        })
        .collect();
    let rate = times.len() as f64 / at;
    let ran = kept(port, &times, 64, ms(60_000), &Stop::default());
    assert_eq!((ran.sent.len(), ran.dropped.len()), (600, 0));
    let (taken, count) = *service.lock().unwrap();
    let service = taken.as_secs_f64() / f64::from(count);
    let load = rate * service;
    let expected = service + load * service / (2.0 * (1.0 - load));
    let mean = ran.sent.iter().map(|sent| sent.latency.as_secs_f64()).sum::<f64>() / 600.0;
    // 600 requests of one queue tell the mean to about a tenth; machines that are busy add to it.
    assert!(
        (0.75..1.6).contains(&(mean / expected)),
        "{mean} s where {expected} s were expected at a load of {load}"
    );
}

#[test]
fn what_cannot_be_sent_is_dropped_and_counted() {
    // Two may be under way, each takes 100 ms: of 50 in half a second, some ten are sent.
    let ran = kept(keeping(|| slow(100)), &every(ms(10), 50), 2, ms(20_000), &Stop::default());
    assert_eq!(ran.sent.len() + ran.dropped.len(), 50);
    assert!((6..=12).contains(&ran.sent.len()), "{} sent", ran.sent.len());
}

fn slow(for_ms: u64) -> &'static str {
    thread::sleep(ms(for_ms));
    "200 OK"
}

#[test]
fn it_ends_at_once_when_told_to_and_when_its_time_is_up() {
    let port = keeping(|| slow(300));
    let stop = Stop::default();
    let of_thread = stop.clone();
    thread::spawn(move || {
        thread::sleep(ms(200));
        of_thread.set();
    });
    let start = Instant::now();
    let ran = kept(port, &every(ms(50), 1000), 64, ms(60_000), &stop);
    assert_eq!(ran.early, Some(Early::Stopped));
    assert!(start.elapsed() < ms(1500), "{:?}", start.elapsed());
    let start = Instant::now();
    let ran = kept(port, &every(ms(50), 1000), 64, ms(400), &Stop::default());
    assert_eq!(ran.early, Some(Early::TimeUp));
    assert!(start.elapsed() < ms(1500), "{:?}", start.elapsed());
    // Those that were under way got no answer, and that is said.
    let given_up = ran
        .sent
        .iter()
        .filter(|sent| matches!(&sent.outcome, Outcome::Failed(of) if of.kind == FailureKind::TimedOut));
    assert!(given_up.count() >= 1);
}

#[test]
fn a_server_that_only_fails_is_left_alone_soon() {
    let ran = kept(keeping(|| "503 Busy"), &every(ms(5), 2000), 8, ms(60_000), &Stop::default());
    assert_eq!(ran.early, Some(Early::FailuresInARow));
    assert!((FAILURES_IN_A_ROW..FAILURES_IN_A_ROW + 20).contains(&ran.sent.len()), "{}", ran.sent.len());
    let overloaded = |sent: &serving::load::Sent| matches!(&sent.outcome, Outcome::Failed(of) if of.kind == FailureKind::Overloaded);
    assert!(ran.sent.iter().all(overloaded));
}

#[test]
fn a_thousand_requests_a_second_are_sent_at_their_times() {
    let ran = kept(keeping(|| "200 OK"), &every(ms(1), 2000), 64, ms(60_000), &Stop::default());
    assert_eq!(ran.sent.len() + ran.dropped.len(), 2000);
    assert!(ran.dropped.len() < 100, "{} dropped", ran.dropped.len());
    let mut late: Vec<Duration> = ran.sent.iter().map(|sent| sent.late).collect();
    late.sort();
    assert!(late[late.len() / 2] < ms(5), "half of them are late by {:?}", late[late.len() / 2]);
}
