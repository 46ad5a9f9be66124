//! Every page of the site, of one system with evidence and of a fleet around it.

pub(crate) mod alerts;
pub(crate) mod fleet;
mod people;

use jiff::{SignedDuration, Timestamp};
use types::CheckId;
use types::evidence::{Checkpoint, Evidence, NewFinding, Record, extend_chain};
use types::monitor_report::MonitorReport;
use types::report::CheckReport;
use types::{Digest, Finding, Subject, Verdict};
use view::site::column::ColumnPage;
use view::site::compare::{ComparePage, CompareRow};
use view::site::evidence::{ChainState, EvidenceFilter, EvidencePage, SignedCheckpoint};
use view::site::frame::{Frame, Reader, Theme};
use view::site::record::RecordPage;
use view::site::series::CheckSeries;
use view::site::system::SystemPage;
use view::site::{self, Practice, Seen, SystemRef, link};

/// What the pages are made from.
pub(crate) struct World {
    pub(crate) monitor: MonitorReport,
    pub(crate) check: CheckReport,
    /// The findings of both as evidence keeps them.
    records: Vec<Record>,
}

/// A page: its path, and the document.
pub(crate) type Page = (String, String);

impl World {
    pub(crate) fn sample() -> Self {
        Self::new(super::over_time::monitor_report(), super::report())
    }

    pub(crate) fn new(monitor: MonitorReport, check: CheckReport) -> Self {
        let records = records(&monitor, &check);
        Self { monitor, check, records }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.monitor.at.max(self.check.at) + SignedDuration::from_mins(34)
    }

    fn system(&self) -> SystemRef {
        let of = &self.monitor.system;
        SystemRef { id: of.id.clone(), name: of.display_name().to_owned() }
    }

    pub(crate) fn frame(&self, path: &str) -> Frame {
        Frame {
            program: self.monitor.program.clone(),
            now: self.now(),
            path: path.to_owned(),
            reader: Some(Reader {
                name: "Ada Okafor".into(),
                role: "risk manager".into(),
                may_act: true,
                may_manage: true,
                signed_in: true,
            }),
            csrf: "a-token-of-the-session".into(),
            theme: Theme::System,
            alerts_firing: 2,
            notice: None,
        }
    }

    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.records.iter().map(|record| &record.finding)
    }

    fn seen(&self, keep: impl Fn(&Finding) -> bool) -> Vec<Seen> {
        let records = self.records.iter().filter(|record| keep(&record.finding));
        let seen = |of: &Record| Seen {
            seq: of.seq,
            at: of.at,
            fresh_until: of.fresh_until,
            finding: of.finding.clone(),
        };
        records.map(seen).collect()
    }

    /// The newest finding of each check and subject of a practice.
    fn newest(&self, practice: Practice) -> Vec<Seen> {
        let mut newest: Vec<Seen> = Vec::new();
        for seen in self.seen(|of| of.check.practice() == practice.word()) {
            newest.retain(|other| {
                (other.finding.check, &other.finding.subject) != (seen.finding.check, &seen.finding.subject)
            });
            newest.push(seen);
        }
        newest
    }

    /// The tab of a practice.
    pub(crate) fn tab(&self, tab: Practice) -> SystemPage {
        SystemPage {
            system: fleet::summary(self),
            tab,
            gates: self.check.gates.clone(),
            alerts: if tab == Practice::Monitor {
                alerts::rows(self).into_iter().take(1).collect()
            } else {
                Vec::new()
            },
            newest: self.newest(tab),
            monitor: (tab == Practice::Monitor).then(|| self.monitor.clone()),
            found: (tab == Practice::Evaluate).then(|| self.evaluated()),
        }
    }

    /// The report with the findings of `evaluate` alone.
    fn evaluated(&self) -> CheckReport {
        let mut report = self.check.clone();
        report.findings.retain(|finding| finding.check.practice() == Practice::Evaluate.word());
        report
    }

    fn worst_column(&self) -> Subject {
        let by_name = |name: &str| self.monitor.drift.iter().find(|column| column.subject.label() == name);
        by_name("temp").or(self.monitor.drift.first()).map_or(Subject::Model, |column| column.subject.clone())
    }

    fn series(&self, check: CheckId, subject: Option<Subject>) -> CheckSeries {
        let seen = match &subject {
            Some(subject) => self.seen(|of| of.check == check && of.subject == *subject),
            None => Vec::new(),
        };
        let practice = Practice::named(check.practice()).expect("checks belong to practices");
        let mut subjects = self.newest(practice);
        subjects.retain(|seen| seen.finding.check == check);
        CheckSeries { system: self.system(), check, subject, seen, subjects }
    }

    fn column(&self) -> ColumnPage {
        let subject = self.worst_column();
        let history =
            self.monitor.drift.iter().find(|column| column.subject == subject).expect("there are columns");
        ColumnPage { system: self.system(), windows: self.monitor.windows.clone(), history: history.clone() }
    }

    fn compare(&self) -> ComparePage {
        let windows = &self.monitor.windows;
        let (a, b) = (windows.len() / 3, windows.len() - 1);
        let rows = self.monitor.drift.iter().map(|column| CompareRow {
            check: CheckId::Drift,
            subject: column.subject.clone(),
            a: column.findings[a].clone(),
            b: column.findings[b].clone(),
        });
        ComparePage {
            system: self.system(),
            windows: windows.clone(),
            chosen: Some((windows[a], windows[b])),
            rows: rows.collect(),
        }
    }

    fn evidence(&self) -> EvidencePage {
        let mut records = self.records.clone();
        let end = Checkpoint { records: records.len() as u64, hash: Digest::of(b"the last line") };
        records.reverse();
        records.truncate(50);
        EvidencePage {
            chain: ChainState {
                end,
                verified_at: Some(self.now() - SignedDuration::from_hours(5)),
                broken: None,
                signed: Some(SignedCheckpoint {
                    at: self.now() - SignedDuration::from_hours(5),
                    checkpoint: end,
                    key: "9f2ab04c51d7".into(),
                }),
            },
            filter: EvidenceFilter::default(),
            next: records.last().map(|record| record.seq),
            matching: end.records,
            systems: vec![self.system()],
            records,
        }
    }

    fn record(&self) -> RecordPage {
        let subject = self.worst_column();
        let records = &self.records;
        let of =
            |record: &&Record| record.finding.subject == subject && record.finding.verdict == Verdict::Fail;
        let record = records.iter().rev().find(of).or(records.last()).expect("there are records").clone();
        RecordPage {
            hash: Digest::of(b"a record"),
            system: self.system(),
            intact: true,
            has_next: true,
            record,
        }
    }

    /// Everything, with its path.
    pub(crate) fn pages(&self) -> Vec<Page> {
        let id = &self.monitor.system.id;
        let subject = self.worst_column();
        let page = |path: String, render: &dyn Fn(&Frame) -> String| {
            let document = render(&self.frame(&path));
            (path, document)
        };
        let mut pages = vec![
            page(link::OVERVIEW.into(), &|frame| site::overview::page(frame, &fleet::overview(self, 12))),
            page("/overview-100".into(), &|frame| site::overview::page(frame, &fleet::overview(self, 100))),
            page("/overview-empty".into(), &|frame| site::overview::page(frame, &fleet::nothing())),
            page(format!("{}/checks/monitor.drift/one", link::system(id)), &|frame| {
                site::series::page(frame, &self.series(CheckId::Drift, Some(subject.clone())))
            }),
            page(link::series(id, CheckId::PerformanceOverTime, None), &|frame| {
                site::series::page(frame, &self.series(CheckId::PerformanceOverTime, Some(Subject::Model)))
            }),
            page(link::series(id, CheckId::WorstSegment, None), &|frame| {
                site::series::page(frame, &self.series(CheckId::WorstSegment, None))
            }),
            page(link::column(id, &subject.label()), &|frame| site::column::page(frame, &self.column())),
            page(link::compare(id, None, None), &|frame| site::compare::page(frame, &self.compare())),
            page(format!("{}/compare-empty", link::system(id)), &|frame| {
                site::compare::page(
                    frame,
                    &ComparePage { windows: Vec::new(), chosen: None, rows: Vec::new(), ..self.compare() },
                )
            }),
            page(link::EVIDENCE.into(), &|frame| site::evidence::page(frame, &self.evidence())),
            page(link::record(&self.record().system.id, self.record().record.seq), &|frame| {
                site::record::page(frame, &self.record())
            }),
        ];
        pages.extend(
            Practice::ALL
                .map(|tab| page(link::tab(id, tab), &|frame| site::system::page(frame, &self.tab(tab)))),
        );
        pages.push(page("/systems/new".into(), &|frame| {
            site::system::page(frame, &fleet::without_evidence(self))
        }));
        pages.extend(alerts::pages(self));
        pages.extend(people::pages(self));
        pages
    }
}

/// Windows of a history, newest last.
pub(super) fn last<T: Clone>(of: &[T], count: usize) -> Vec<T> {
    of[of.len().saturating_sub(count)..].to_vec()
}

/// The findings of monitoring in the order of their windows, then those of the check, as evidence.
fn records(monitor: &MonitorReport, check: &CheckReport) -> Vec<Record> {
    let fresh_until = monitor.at.max(check.at) + SignedDuration::from_hours(8 * 24);
    let columns = monitor.drift.iter().flat_map(|column| column.findings.iter().flatten());
    let mut findings: Vec<Finding> = columns.chain(&monitor.performance).cloned().collect();
    findings.sort_by_key(|finding| finding.window.from());
    findings.extend(check.findings.iter().cloned());
    let new = |finding: Finding| NewFinding { finding: finding.for_evidence(), fresh_until, inputs: None };
    let evidence = Evidence {
        at: monitor.at,
        system: monitor.system.id.clone(),
        model: monitor.model.clone(),
        definition: monitor.definition,
        program: monitor.program.clone(),
        datasets: monitor.datasets.clone(),
        findings: findings.into_iter().map(new).collect(),
    };
    extend_chain(Checkpoint::EMPTY, evidence).expect("numbers that JSON can hold").0
}
