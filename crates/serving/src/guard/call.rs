//! One question to the model, from its rows to its answer.
//!
//! Rows whose inputs are out get their remedy; what is left is asked, if the breaker lets it through. Where the model
//! fails, the policy's remedy for that answers in its place. Predictions are in the journal before the answer leaves.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};
use tokio::task::spawn_blocking;
use types::batch::Batch;

use super::answers::{Answers, Form, RowAnswer, Said};
use super::breaker::{Asking, Breaker};
use super::cache::Cache;
use super::inputs::{self, Checked};
use super::metrics::{Metrics, observe};
use super::others::Other;
use super::request::{Asked, Fill};
use super::upstream::{Reply, Upstream};
use super::{Instead, Journal, Predictions, Questions, Remedies, Remedy, Settings, marks};
use crate::answer::{Failure, FailureKind};
use crate::{Outcome, Scores, json};

/// What all requests share.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) settings: Settings,
    pub(super) journal: Box<dyn Journal>,
    pub(super) remedies: Box<dyn Remedies>,
    pub(super) others: Vec<Arc<Other>>,
    pub(super) upstream: Upstream,
    pub(super) breaker: Breaker,
    pub(super) cache: Option<Cache>,
    pub(super) metrics: Metrics,
    pub(super) form: Mutex<Form>,
    pub(super) numbers: super::server::Numbers,
}

/// A request whose rows are known.
struct Call {
    head: Head,
    body: Bytes,
    number: String,
    asked: Asked,
    checked: Arc<Checked>,
    remedies: Vec<Remedy>,
    /// What there is to say of each row, as far as there is anything.
    answers: Vec<Option<Given>>,
    /// The form in which it will be said, and what an answer has beside it.
    form: Form,
    rest: Map<String, Value>,
    /// What was tried for a row and did not answer.
    failed: Vec<&'static str>,
}

/// What there is to say of a row.
enum Given {
    /// By the model, now or before.
    Row(RowAnswer),
    /// In its place.
    Said(Said),
}

/// Why a request has no answer of ours.
enum End {
    /// The model's server refuses it: that is between the two of them.
    Refused(Reply),
    Unanswered(Unanswered),
}

/// Why the model has no answer, and what its server said.
struct Unanswered {
    failure: Failure,
    reply: Option<Reply>,
    after: Option<Duration>,
}

/// What the server of the model said.
enum FromModel {
    Answered(Reply, Answers),
    Refused(Reply),
}

impl Guard {
    /// Answers a question to the model.
    pub(super) async fn answer(self: Arc<Self>, head: Head, body: Bytes) -> Response {
        let begun = Instant::now();
        let number = self.numbers.next();
        let read = readable(&head.headers)
            .and_then(|()| Asked::read(&self.settings.questions, &body, &self.settings.order));
        let mut response = match read {
            Ok(asked) => self.answer_rows(head, body, &number, asked).await,
            Err(why) => self.unread(&head, body, &why).await,
        };
        marks::set(response.headers_mut(), marks::REQUEST, &number);
        observe(&self.metrics.whole, begun.elapsed());
        response
    }

    /// A request that cannot be read passes, or is refused.
    async fn unread(&self, head: &Head, body: Bytes, why: &str) -> Response {
        let questions = &self.settings.questions;
        if self.settings.refuses_unread {
            self.metrics.request("unread-refused");
            return marks::refused(
                questions,
                StatusCode::BAD_REQUEST,
                &format!("the guard cannot read it: {why}"),
            );
        }
        self.metrics.request("unread");
        let passed = self.upstream.pass(head, Body::from(body)).await;
        let mut response = passed.unwrap_or_else(|failure| {
            self.metrics.error(&failure.kind.to_string());
            marks::unanswered(questions, &failure, None)
        });
        marks::unread(response.headers_mut(), why);
        response
    }

    async fn answer_rows(self: &Arc<Self>, head: Head, body: Bytes, number: &str, asked: Asked) -> Response {
        let (rows, settings) = (asked.rows, &self.settings);
        let checked = inputs::check(&asked.columns, rows, &settings.expected, settings.odd);
        let checked = Arc::new(checked);
        let remedies = self.remedies_of(&checked, rows).await;
        let number = number.to_owned();
        let answers = (0..rows).map(|_| None).collect();
        let (form, rest, failed) = (self.known_form(), self.rest(&asked), vec![""; rows]);
        let mut call = Call { head, body, number, asked, checked, remedies, answers, form, rest, failed };
        let reply = match self.complete(&mut call).await {
            Ok(reply) => reply,
            Err(end) => return self.ended(*end),
        };
        self.logged(call, reply).await
    }

    /// How the model said its last answer.
    fn known_form(&self) -> Form {
        self.form.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells a caller that there is no answer of ours.
    fn ended(&self, end: End) -> Response {
        match end {
            End::Refused(reply) => {
                self.metrics.request("refused");
                reply.response()
            }
            End::Unanswered(Unanswered { failure, reply, after }) => {
                self.metrics.request("failed");
                let unanswered = || marks::unanswered(&self.settings.questions, &failure, after);
                reply.map_or_else(unanswered, Reply::response)
            }
        }
    }

    async fn remedies_of(self: &Arc<Self>, checked: &Arc<Checked>, rows: usize) -> Vec<Remedy> {
        if !checked.is_any_out() {
            return vec![Remedy::default(); rows];
        }
        let (guard, of) = (Arc::clone(self), Arc::clone(checked));
        let remedies = spawn_blocking(move || guard.remedies.of_inputs(&of.inputs, &of.out)).await;
        let remedies = remedies.ok().filter(|remedies| remedies.len() == rows);
        // Without one the model is asked with what there is.
        remedies.unwrap_or_else(|| vec![Remedy::default(); rows])
    }

    /// Finds an answer for every row; the reply is that of the model's server where it answered all of them.
    async fn complete(&self, call: &mut Call) -> Result<Option<Reply>, Box<End>> {
        let instead: Vec<(usize, Instead)> = call
            .remedies
            .iter()
            .enumerate()
            .filter_map(|(row, remedy)| Some((row, remedy.instead.clone()?)))
            .collect();
        self.answer_instead(call, &instead).await;
        for (row, _) in instead {
            if call.answers[row].is_none() {
                // The model is asked with what there is.
                call.failed[row] = std::mem::take(&mut call.remedies[row]).name;
            }
        }
        let left: Vec<usize> = (0..call.asked.rows).filter(|&row| call.answers[row].is_none()).collect();
        if left.is_empty() {
            return Ok(None);
        }
        let unanswered = match self.ask_model(call, &left).await {
            Ok(FromModel::Refused(reply)) => return Err(Box::new(End::Refused(reply))),
            Ok(FromModel::Answered(reply, answers)) => {
                *self.form.lock().unwrap_or_else(PoisonError::into_inner) = answers.form.clone();
                call.form = answers.form;
                call.rest = answers.rest;
                self.keep_for_later(call, &left, &answers.rows);
                let is_all = left.len() == call.asked.rows;
                for (row, answer) in left.into_iter().zip(answers.rows) {
                    call.answers[row] = Some(Given::Row(answer));
                }
                return Ok(is_all.then_some(reply));
            }
            Err(unanswered) => unanswered,
        };
        if self.answer_outage(call, &left).await {
            Ok(None)
        } else {
            Err(Box::new(End::Unanswered(*unanswered)))
        }
    }

    /// Asks the model about rows, if it is not left alone.
    async fn ask_model(&self, call: &Call, rows: &[usize]) -> Result<FromModel, Box<Unanswered>> {
        if let Asking::Refused { after } = self.breaker.ask(rows.len()) {
            self.metrics.error("circuit open");
            let message = "the model has failed several times and is left alone for a while";
            let failure = Failure::new(FailureKind::Unreachable, message);
            return Err(Box::new(Unanswered { failure, reply: None, after }));
        }
        let begun = Instant::now();
        let replied = self.upstream.ask(&call.head, self.body_of(call, rows)).await;
        observe(&self.metrics.model, begun.elapsed());
        let judged = judged(&self.settings.questions, replied, rows.len());
        self.breaker.ended(judged.is_err());
        judged.inspect_err(|unanswered| self.metrics.error(&unanswered.failure.kind.to_string()))
    }

    /// The request about some of its rows: itself where nothing is to be changed.
    fn body_of(&self, call: &Call, rows: &[usize]) -> Bytes {
        let mut fills = Vec::new();
        for &row in rows {
            for (at, value) in &call.remedies[row].fills {
                let column = self.settings.expected[*at].name.as_str();
                fills.push(Fill { row, column, value: value.clone() });
            }
        }
        if fills.is_empty() && rows.len() == call.asked.rows {
            return call.body.clone();
        }
        call.asked.rewritten(rows, &fills).into()
    }

    /// Answers rows that the model leaves unanswered as the policy has it; `false` where it cannot answer them all.
    async fn answer_outage(&self, call: &mut Call, rows: &[usize]) -> bool {
        let Some(Remedy { instead: Some(instead), name, .. }) = self.remedies.of_model() else {
            return false;
        };
        let asked: Vec<(usize, Instead)> = rows.iter().map(|&row| (row, instead.clone())).collect();
        self.answer_instead(call, &asked).await;
        if rows.iter().any(|&row| call.answers[row].is_none()) {
            return false;
        }
        for &row in rows {
            call.remedies[row] = Remedy { name, ..Remedy::default() };
        }
        true
    }

    /// Answers rows in the model's place, as far as that can be done.
    async fn answer_instead(&self, call: &mut Call, rows: &[(usize, Instead)]) {
        let mut by_other: Vec<(usize, Vec<usize>)> = Vec::new();
        for (row, instead) in rows {
            call.answers[*row] = match instead {
                Instead::Constant(number) => Some(Given::Said(Said::Number(*number))),
                Instead::Abstain => Some(Given::Said(Said::Nothing)),
                Instead::Cached => self.cache.as_ref().and_then(|cache| {
                    let key = cache.key(&call.asked.columns, *row)?;
                    cache.last(&key, Instant::now()).map(Given::Row)
                }),
                Instead::Model(other) => {
                    match by_other.iter_mut().find(|(of, _)| of == other) {
                        Some((_, rows)) => rows.push(*row),
                        None => by_other.push((*other, vec![*row])),
                    }
                    None
                }
            };
        }
        for (other, rows) in by_other {
            let Some(other) = self.others.get(other) else { continue };
            let asked = without_missing(&call.checked.inputs.take(&rows));
            match Arc::clone(other).ask(asked).await {
                Outcome::Accepted(accepted) | Outcome::NonFinite(accepted) => {
                    for (row, said) in rows.into_iter().zip(said(accepted.scores)) {
                        call.answers[row] = said.map(Given::Said);
                    }
                }
                Outcome::Failed(failure) => self.metrics.error(&format!("other model {}", failure.kind)),
            }
        }
    }

    /// Keeps answers that the model gave with all of its inputs.
    fn keep_for_later(&self, call: &Call, rows: &[usize], answers: &[RowAnswer]) {
        let Some(cache) = &self.cache else { return };
        for (&row, answer) in rows.iter().zip(answers) {
            if call.checked.out[row].is_empty()
                && let Some(key) = cache.key(&call.asked.columns, row)
            {
                cache.keep(key, answer.clone(), Instant::now());
            }
        }
    }

    /// Writes the predictions down, and answers.
    async fn logged(self: &Arc<Self>, call: Call, reply: Option<Reply>) -> Response {
        let Call { head, number, asked, checked, remedies, answers, form, rest, failed, .. } = call;
        let reading = &self.settings.reading;
        let answer = |given: Given| match given {
            // One from before the model changed how it says them is of no use.
            Given::Row(row) if form.fits(&row) => row,
            Given::Row(_) => form.row(&Said::Nothing, reading),
            Given::Said(said) => form.row(&said, reading),
        };
        let answers: Vec<RowAnswer> = answers.into_iter().flatten().map(answer).collect();
        let names: Vec<&'static str> = remedies.iter().map(|remedy| remedy.name).collect();
        let questions = &self.settings.questions;
        let scores = form.scores(questions, reading, &answers);
        let mut flags = checked.flags.clone();
        for (flags, failed) in flags.iter_mut().zip(&failed) {
            add_flag(flags, "failed", failed);
        }
        if scores.is_none() {
            for flags in &mut flags {
                add_flag(flags, "unread", "answer");
            }
        }
        let ids = self.ids(&head.headers, &asked);
        let predictions = Predictions {
            request: number,
            columns: asked.columns,
            ids,
            unusable: checked.unusable.clone(),
            scores,
            remedies: names.clone(),
            flags,
        };
        self.count(&predictions);
        let begun = Instant::now();
        let guard = Arc::clone(self);
        let kept = spawn_blocking(move || guard.journal.keep(&predictions)).await;
        observe(&self.metrics.journal, begun.elapsed());
        let kept = kept.unwrap_or_else(|error| Err(super::NotKept(error.to_string())));
        let mut response = match reply {
            Some(reply) => reply.response(),
            None => composed(form.written(&rest, &answers)),
        };
        match kept {
            Ok(id) => marks::set(response.headers_mut(), marks::ID, &id),
            Err(error) => {
                log::error!("predictions are not logged: {error}");
                self.metrics.lost.inc_by(names.len() as u64);
                if self.settings.refuses_unlogged {
                    self.metrics.request("unlogged");
                    let message =
                        format!("the prediction cannot be logged, and none is answered unlogged: {error}");
                    return marks::refused(questions, StatusCode::SERVICE_UNAVAILABLE, &message);
                }
            }
        }
        marks::degraded(response.headers_mut(), &names);
        let is_degraded = names.iter().any(|name| !name.is_empty());
        self.metrics.request(if is_degraded { "degraded" } else { "answered" });
        response
    }

    fn count(&self, predictions: &Predictions) {
        self.metrics.rows.inc_by(predictions.rows() as u64);
        self.metrics
            .flagged
            .inc_by(predictions.flags.iter().filter(|flags| !flags.is_empty()).count() as u64);
        for name in predictions.remedies.iter().filter(|name| !name.is_empty()) {
            self.metrics.degraded(name);
        }
    }

    /// What an answer that is put together has beside its rows.
    fn rest(&self, asked: &Asked) -> Map<String, Value> {
        match &self.settings.questions {
            Questions::Mlflow { .. } => Map::new(),
            Questions::OpenInference { model, .. } => {
                let name = ("model_name".to_owned(), Value::from(model.as_str()));
                let id = asked.id().map(|id| ("id".to_owned(), id.clone()));
                std::iter::once(name).chain(id).collect()
            }
        }
    }

    /// The ids that a caller gave, where there is one for each row.
    fn ids(&self, headers: &HeaderMap, asked: &Asked) -> Option<Vec<Value>> {
        let column = asked.columns.iter().find(|(name, _)| *name == self.settings.id);
        let in_header = || {
            let ids = headers.get(marks::IDS)?.to_str().ok()?;
            Some(ids.split(',').map(|id| Value::from(id.trim())).collect::<Vec<Value>>())
        };
        let ids = column.map(|(_, ids)| ids.clone()).or_else(in_header)?;
        (ids.len() == asked.rows && !ids.contains(&Value::Null)).then_some(ids)
    }
}

/// Whether a body is JSON that is not packed.
fn readable(headers: &HeaderMap) -> Result<(), String> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    if let Some(encoding) = text(CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        return Err(format!("the body is packed ({encoding})"));
    }
    match text(CONTENT_TYPE) {
        Some(of) if !of.contains("json") => Err(format!("the body is not JSON but {of}")),
        _ => Ok(()),
    }
}

/// What a reply of the model's server means.
fn judged(
    questions: &Questions,
    replied: Result<Reply, Failure>,
    rows: usize,
) -> Result<FromModel, Box<Unanswered>> {
    let failed = |failure, reply| Box::new(Unanswered { failure, reply, after: None });
    let reply = replied.map_err(|failure| failed(failure, None))?;
    if reply.status.is_server_error() {
        let message = format!("the model's server answers {}", reply.status.as_u16());
        return Err(failed(Failure::new(FailureKind::Crashed, message), Some(reply)));
    }
    if !reply.status.is_success() {
        return Ok(FromModel::Refused(reply));
    }
    let answers = json::parse(&reply.body).and_then(|document| Answers::read(questions, document, rows));
    match answers {
        Ok(answers) => Ok(FromModel::Answered(reply, answers)),
        Err(why) => {
            let message = format!("the model's answer is none: {why}");
            Err(failed(Failure::new(FailureKind::Malformed, message), None))
        }
    }
}

/// The inputs without those that no row has: there are models that do without.
fn without_missing(rows: &Batch) -> Batch {
    let has_any = |values: &types::batch::Values| (0..rows.rows()).any(|row| !values.is_missing(row));
    let columns = rows.columns().iter().filter(|column| has_any(&column.values)).cloned().collect();
    Batch::new(columns).expect("columns of a batch")
}

fn said(scores: Scores) -> Vec<Option<Said>> {
    match scores {
        Scores::Numbers(rows) => rows.into_iter().map(|row| row.map(Said::Number)).collect(),
        Scores::Probabilities(rows) => rows.into_iter().map(|row| row.map(Said::Probabilities)).collect(),
    }
}

fn add_flag(flags: &mut String, what: &str, of: &str) {
    if of.is_empty() {
        return;
    }
    if !flags.is_empty() {
        flags.push(';');
    }
    flags.push_str(&format!("{what}:{of}"));
}

fn composed(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
