//! How long a graph of ten million links takes to make, how much memory it holds, and how long a trace in it takes.
//!
//! `cargo run --release -p forewarn-trace --example ten_million [EVENTS]`. The world: jobs in twenty layers, each of
//! which reads the newest versions of three datasets of the layer above and writes a version of its own dataset, again
//! and again.

use std::time::Instant;

use jiff::Timestamp;
use trace::change::Key;
use trace::graph::{Builder, Graph};
use trace::openlineage;
use trace::query::{View, downstream, upstream};
use types::lineage::{AsOf, Kind, Trace};

const JOBS: u64 = 2000;
const LAYERS: u64 = 20;
const TRACES: usize = 1000;
const NODES_MAX: usize = 10_000;

fn main() {
    let events: u64 =
        std::env::args().nth(1).map_or(1_000_000, |count| count.parse().expect("a count of events"));
    let began = Instant::now();
    let mut builder = Builder::default();
    let mut bytes = 0;
    for event in 0..events {
        let text = text(event);
        bytes += text.len();
        let event = openlineage::read(text.as_bytes(), time(events)).expect("an event");
        assert!(builder.add(&event, time(events)).is_empty(), "all of it is understood");
    }
    let read = began.elapsed();
    let began = Instant::now();
    let graph = builder.build();
    let built = began.elapsed();
    let links = graph.links();
    println!("{events} events of {} bytes: {} nodes, {links} links", bytes as u64 / events, graph.nodes());
    println!("read and projected in {read:.1?}, {:.0} events a second", events as f64 / read.as_secs_f64());
    println!(
        "built in {built:.1?}; {:.1} bytes a link, texts and nodes included",
        graph.bytes() as f64 / links as f64
    );
    traces("upstream", &graph, upstream);
    traces("downstream", &graph, downstream);
}

fn time(second: u64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second as i64).expect("within the range")
}

/// The event of the run that writes version `event / JOBS` of its dataset.
fn text(event: u64) -> String {
    let (job_number, round) = (event % JOBS, event / JOBS);
    let layer = job_number / (JOBS / LAYERS);
    let inputs: Vec<String> = (0..3)
        .filter(|_| layer > 0)
        .map(|input| {
            let above = (layer - 1) * (JOBS / LAYERS) + (job_number * 7 + input * 31) % (JOBS / LAYERS);
            dataset(above, round)
        })
        .collect();
    let job = format!(
        r#"{{"namespace":"bench","name":"job{job_number}","facets":{{"sourceCodeLocation":{{"version":"{}"}}}}}}"#,
        round / 10
    );
    format!(
        r#"{{"eventType":"COMPLETE","eventTime":"{}","producer":"bench","run":{{"runId":"{:032x}"}},"job":{job},
        "inputs":[{}],"outputs":[{}]}}"#,
        time(event),
        scrambled(event, 1),
        inputs.join(","),
        dataset(job_number, round)
    )
}

fn dataset(job: u64, round: u64) -> String {
    let digest = format!("{:032x}{:032x}", scrambled(job, round), scrambled(round, job));
    format!(
        r#"{{"namespace":"bench","name":"d{job}","facets":{{"forewarn_digest":{{"digest":"{digest}","of":"files"}}}}}}"#
    )
}

/// A whole number that looks like a digest: the finalizer of splitmix64 on both halves.
fn scrambled(a: u64, b: u64) -> u128 {
    let mix = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let first = mix(a.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(b + 1));
    (u128::from(first) << 64) | u128::from(mix(first ^ b))
}

fn traces(name: &str, graph: &Graph, walk: fn(&View<'_>, trace::graph::NodeId, usize) -> Trace) {
    let view = View::new(graph, AsOf { true_at: Timestamp::MAX, known_at: Timestamp::MAX });
    let runs: Vec<_> = graph.of_kind(Kind::Run).collect();
    let step = (runs.len() / TRACES).max(1);
    let mut taken: Vec<(std::time::Duration, usize)> = runs
        .iter()
        .step_by(step)
        .map(|&run| {
            let found = graph.find(&Key::run(&graph.key(run).name)).expect("it is there");
            let began = Instant::now();
            let trace = walk(&view, found, NODES_MAX);
            (began.elapsed(), trace.nodes.len())
        })
        .collect();
    taken.sort();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize];
    println!("{name}: median {:.1?} ({} nodes), 99 in 100 within {:.1?}", at(0.5).0, at(0.5).1, at(0.99).0);
}
