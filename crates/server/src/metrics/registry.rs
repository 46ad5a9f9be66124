//! Figures as metrics: names, labels and what each means.

use std::sync::atomic::AtomicU64;

use app::site::figures::{CheckFigures, Figures, JobFigures, SystemFigures};
use app::{Job, JobState};
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Names and values of the labels of one series.
pub(super) type Labels = Vec<(&'static str, String)>;

type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;

/// Metrics under construction.
struct Metrics<'r> {
    registry: &'r mut Registry,
}

impl Metrics<'_> {
    fn gauges(&mut self, name: &str, help: &str, series: impl IntoIterator<Item = (Labels, f64)>) {
        let family = Gauges::default();
        for (labels, value) in series {
            family.get_or_create(&labels).set(value);
        }
        self.registry.register(name, help, family);
    }

    fn counters(&mut self, name: &str, help: &str, series: impl IntoIterator<Item = (Labels, u64)>) {
        let family = Family::<Labels, Counter>::default();
        for (labels, value) in series {
            family.get_or_create(&labels).inc_by(value);
        }
        self.registry.register(name, help, family);
    }
}

/// All metrics that are read when they are asked for.
pub(super) fn registry(figures: &Figures, program: &str, now: Timestamp) -> Registry {
    let mut registry = Registry::default();
    let version = program.rsplit(' ').next().unwrap_or_default().to_owned();
    registry.register("forewarn_build", "The version that runs", Info::new(vec![("version", version)]));
    let mut metrics = Metrics { registry: &mut registry };
    of_systems(&mut metrics, &figures.systems);
    of_checks(&mut metrics, &figures.systems);
    of_jobs(&mut metrics, &figures.jobs, now);
    of_ingestion(&mut metrics, figures);
    let messages =
        figures.messages.iter().map(|(state, count)| (vec![("state", state.clone())], *count as f64));
    metrics.gauges("forewarn_messages", "Messages to people, by what became of them", messages);
    registry
}

fn of_systems(metrics: &mut Metrics<'_>, systems: &[SystemFigures]) {
    let system = |of: &SystemFigures| vec![("system", of.id.clone())];
    metrics.gauges("forewarn_systems", "Systems that are served", [(vec![], systems.len() as f64)]);
    metrics.gauges(
        "forewarn_evidence_records",
        "Records of a system's evidence",
        systems.iter().map(|of| (system(of), of.records as f64)),
    );
    metrics.gauges(
        "forewarn_evidence_intact",
        "Whether a system's evidence held when it was last verified: 1 or 0; absent before the first time",
        systems.iter().filter_map(|of| Some((system(of), truth(of.intact?)))),
    );
    metrics.gauges(
        "forewarn_definition_in_force",
        "Whether the definition in a system's folder is the one in force; 0 where it has a mistake",
        systems.iter().map(|of| (system(of), truth(of.definition_in_force))),
    );
    let gates = systems.iter().flat_map(|of| {
        of.told.gates.iter().map(|gate| {
            let labels = vec![("system", of.id.clone()), ("gate", gate.gate.clone())];
            (labels, truth(gate.open))
        })
    });
    metrics.gauges("forewarn_gate_open", "Whether a gate is open: 1 or 0", gates);
    let alerts = systems.iter().flat_map(|of| {
        of.alerts.iter().map(|(state, severity, count)| {
            let labels = vec![
                ("system", of.id.clone()),
                ("state", (*state).to_owned()),
                ("severity", severity.word().to_owned()),
            ];
            (labels, *count as f64)
        })
    });
    metrics.gauges("forewarn_alerts", "Alerts that are not over, by state and severity", alerts);
}

fn of_checks(metrics: &mut Metrics<'_>, systems: &[SystemFigures]) {
    let checks: Vec<(&SystemFigures, &CheckFigures)> =
        systems.iter().flat_map(|of| of.told.checks.iter().map(move |check| (of, check))).collect();
    let labels = |of: &SystemFigures, check: &CheckFigures| {
        vec![("system", of.id.clone()), ("check", check.check.name().to_owned())]
    };
    let mut instants = |name: &str, help: &str, instant: &dyn Fn(&CheckFigures) -> Timestamp| {
        let series = checks.iter().map(|(of, check)| (labels(of, check), seconds(instant(check))));
        metrics.gauges(name, help, series);
    };
    instants("forewarn_check_timestamp_seconds", "When a check was last made", &|check| check.checked_at);
    instants(
        "forewarn_check_fresh_until_timestamp_seconds",
        "Until when the newest evidence of a check counts",
        &|check| check.fresh_until,
    );
    instants(
        "forewarn_check_window_end_timestamp_seconds",
        "The end of the newest window of a check",
        &|check| check.window_end,
    );
    let findings = checks.iter().flat_map(|(of, check)| {
        check.verdicts.iter().map(|(verdict, count)| {
            let mut labels = labels(of, check);
            labels.push(("verdict", verdict.word().to_owned()));
            (labels, *count as f64)
        })
    });
    metrics.gauges(
        "forewarn_findings",
        "Newest findings of a check by verdict; those that have expired count as unknown",
        findings,
    );
    let values = checks.iter().flat_map(|(of, check)| {
        check.values.iter().map(|(subject, measure)| {
            let mut labels = labels(of, check);
            labels.extend([("subject", subject.clone()), ("measure", measure.name.clone())]);
            (labels, measure.value)
        })
    });
    metrics.gauges("forewarn_finding_value", "The number that a newest finding is headed by", values);
}

fn of_jobs(metrics: &mut Metrics<'_>, jobs: &JobFigures, now: Timestamp) {
    let labels = |system: &str, kind: &str| vec![("system", system.to_owned()), ("kind", kind.to_owned())];
    let of = |job: &Job| labels(&job.system, &job.kind);
    let open = |state: JobState| {
        let count = jobs.open.iter().filter(|job| job.state == state).count();
        (vec![("state", state.word().to_owned())], count as f64)
    };
    metrics.gauges(
        "forewarn_jobs",
        "Jobs that wait or run",
        [JobState::Waiting, JobState::Running].map(open),
    );
    metrics.gauges(
        "forewarn_job_last_success_timestamp_seconds",
        "When a job of a kind was last done",
        jobs.done.iter().filter_map(|job| Some((of(job), seconds(job.finished?)))),
    );
    let took = |job: &Job| Some(job.finished?.duration_since(job.started?).as_secs_f64());
    metrics.gauges(
        "forewarn_job_last_duration_seconds",
        "How long the job of a kind took that was last done",
        jobs.done.iter().filter_map(|job| Some((of(job), took(job)?))),
    );
    metrics.gauges(
        "forewarn_job_failed",
        "Whether the newest job of a kind was given up: 1 or 0",
        jobs.ended.iter().map(|job| (of(job), truth(job.state == JobState::GivenUp))),
    );
    metrics.gauges(
        "forewarn_job_next_timestamp_seconds",
        "When a job of a kind is due next",
        jobs.next.iter().map(|(due, system, kind)| (labels(system, kind.name()), seconds(*due))),
    );
    let overdue = jobs.missed.iter().map(|missed| {
        (labels(&missed.system, missed.kind.name()), now.duration_since(missed.due).as_secs_f64())
    });
    metrics.gauges(
        "forewarn_job_overdue_seconds",
        "For how long a run of a kind of job has been missing; absent where none is",
        longest(overdue),
    );
}

/// Of series with the same labels, the largest value.
fn longest(series: impl Iterator<Item = (Labels, f64)>) -> Vec<(Labels, f64)> {
    let mut longest: Vec<(Labels, f64)> = Vec::new();
    for (labels, value) in series {
        match longest.iter_mut().find(|(known, _)| *known == labels) {
            Some((_, known)) => *known = known.max(value),
            None => longest.push((labels, value)),
        }
    }
    longest
}

fn of_ingestion(metrics: &mut Metrics<'_>, figures: &Figures) {
    let tables = || {
        figures.ingestion.iter().map(|(system, table, status)| {
            (vec![("system", system.clone()), ("table", table.name().to_owned())], status)
        })
    };
    let rows = tables().flat_map(|(labels, status)| {
        let results =
            [("accepted", status.accepted), ("duplicate", status.duplicates), ("rejected", status.rejected)];
        results.map(|(result, count)| {
            let mut labels = labels.clone();
            labels.push(("result", result.to_owned()));
            (labels, count)
        })
    });
    metrics.counters("forewarn_ingest_rows", "Rows that clients sent, by what became of them", rows);
    metrics.counters(
        "forewarn_ingest_requests",
        "Requests of which a row was accepted",
        tables().map(|(labels, status)| (labels, status.requests)),
    );
    metrics.counters(
        "forewarn_ingest_written_rows",
        "Rows that became rows of files",
        tables().map(|(labels, status)| (labels, status.written)),
    );
    metrics.gauges(
        "forewarn_ingest_waiting_rows",
        "Rows that are accepted and not files yet",
        tables().map(|(labels, status)| (labels, status.waiting_rows as f64)),
    );
    metrics.gauges(
        "forewarn_ingest_waiting_bytes",
        "Size of the write-ahead log",
        tables().map(|(labels, status)| (labels, status.waiting_bytes as f64)),
    );
    metrics.gauges(
        "forewarn_ingest_compaction_timestamp_seconds",
        "When rows last became files",
        tables().filter_map(|(labels, status)| Some((labels, seconds(status.last_compaction?)))),
    );
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

fn truth(of: bool) -> f64 {
    f64::from(u8::from(of))
}
