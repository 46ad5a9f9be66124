//! From an event to what it adds to the graph.
//!
//! A pure function of one event alone: it looks at no other event and at nothing that is already there, so that events
//! that are merged in any order and repeatedly give the same graph. What takes several events to say (how a run ended,
//! which version an input was) is worked out when somebody asks ([`crate::query`]).

use std::borrow::Cow;

use types::Digest;
use types::lineage::What;

use crate::change::{Change, Key, STATE, Standing};
use crate::fingerprint::fingerprint;
use crate::openlineage::facet::{self, Facet, FacetError};
use crate::openlineage::{
    About, ColumnLineage, ContentDigest, DataSource, Dataset, DatasetVersion, Event, Facets, Job, ModelMade,
    Origin, Parent, PipelineRun, RoleOfInput, Run, Serving, SourceCodeLocation, Sql, Strength, Symlinks,
    Transition,
};

/// A longer facet is read, but its text is not kept in the graph; the log of events has it.
pub const NOTE_BYTES_MAX: usize = 256 << 10;

/// What an event adds to the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection<'e> {
    pub changes: Vec<Change<'e>>,
    /// What of the event was not understood, or is not held in the graph.
    pub remarks: Vec<String>,
}

/// What `event` adds to the graph.
pub fn project(event: &Event) -> Projection<'_> {
    let mut projection = Projection::default();
    match &event.about {
        About::Run { transition, run, job, inputs, outputs } => {
            projection.run(*transition, run, job);
            let serving = projection.serving(run);
            for dataset in inputs {
                let version = projection.dataset(dataset);
                let role = projection.found::<RoleOfInput>(&dataset.use_facets).map(|of| of.role);
                projection.changes.push(Change::Link {
                    from: version,
                    to: Key::run(&run.id),
                    what: What::Read,
                    role,
                    standing: Standing::Recorded,
                });
            }
            for dataset in outputs {
                let version = projection.dataset(dataset);
                let writer = if serving { Key::serving_context(&run.id) } else { Key::run(&run.id) };
                projection.link(writer, version, What::Wrote);
            }
        }
        About::Job { job, inputs, outputs } => {
            let key = projection.job(job);
            for dataset in inputs {
                let version = projection.dataset(dataset);
                projection.link(version, key.clone(), What::Read);
            }
            for dataset in outputs {
                let version = projection.dataset(dataset);
                projection.link(key.clone(), version, What::Wrote);
            }
        }
        About::Dataset(dataset) => {
            projection.dataset(dataset);
        }
    }
    projection
}

impl<'e> Projection<'e> {
    fn link(&mut self, from: Key<'e>, to: Key<'e>, what: What) {
        self.changes.push(Change::Link { from, to, what, role: None, standing: Standing::Recorded });
    }

    fn note(&mut self, about: &Key<'e>, name: &'e str, text: Cow<'e, str>) {
        if text.len() > NOTE_BYTES_MAX {
            let bytes = text.len();
            self.remarks.push(format!(
                "`{name}` has {bytes} bytes: it is in the log of events, and not held in the graph \
                 (at most {NOTE_BYTES_MAX})"
            ));
            return;
        }
        self.changes.push(Change::Note { about: about.clone(), name: Cow::Borrowed(name), text });
    }

    fn notes(&mut self, about: &Key<'e>, facets: &'e Facets) {
        for (name, raw) in facets {
            self.note(about, name, Cow::Borrowed(raw.get()));
        }
    }

    /// A facet, if it is there and was understood.
    fn found<F: Facet>(&mut self, facets: &'e Facets) -> Option<F> {
        facet::find(facets).unwrap_or_else(|error: FacetError| {
            self.remarks.push(error.to_string());
            None
        })
    }

    fn run(&mut self, transition: Transition, run: &'e Run, job: &'e Job) {
        let key = Key::run(&run.id);
        self.note(&key, STATE, Cow::Borrowed(transition.name()));
        self.notes(&key, &run.facets);
        let job_key = self.job(job);
        self.link(job_key, key.clone(), What::Ran);
        if let Some(version) = self.code(job) {
            self.link(version, key.clone(), What::Executed);
        }
        if let Some(parent) = self.found::<Parent>(&run.facets) {
            self.parent(&parent, &key);
        }
        if let Some(made) = self.found::<PipelineRun>(&run.facets) {
            self.pipeline(&made, &key);
        }
        if let Some(ModelMade { name, version, .. }) = self.found::<ModelMade>(&run.facets) {
            let model = owned(&Key::model(&name, &version));
            self.link(key, model.clone(), What::Trained);
            self.note(&model, ModelMade::KEY, Cow::Borrowed(run.facets[ModelMade::KEY].get()));
        }
    }

    fn job(&mut self, job: &'e Job) -> Key<'e> {
        let key = Key::job(&job.namespace, &job.name);
        self.changes.push(Change::Node(key.clone()));
        self.notes(&key, &job.facets);
        key
    }

    /// The version of the job's code: what version control says, or else the query.
    fn code(&mut self, job: &'e Job) -> Option<Key<'e>> {
        let location = self.found::<SourceCodeLocation>(&job.facets);
        let located = location.and_then(|SourceCodeLocation { kind, version }| {
            version.map(|version| format!("{}:{version}", kind.as_deref().unwrap_or("code")))
        });
        let query = || Some(format!("sql:{}", Digest::of(self.found::<Sql>(&job.facets)?.query.as_bytes())));
        let version = located.or_else(query)?;
        let key = Key::job_version(&job.namespace, &job.name, version);
        self.link(Key::job(&job.namespace, &job.name), key.clone(), What::HasVersion);
        Some(key)
    }

    fn parent(&mut self, parent: &Parent, run: &Key<'e>) {
        let id = parent.run.run_id.to_lowercase();
        let of = owned(&Key::run(&id));
        self.link(owned(&Key::job(&parent.job.namespace, &parent.job.name)), of.clone(), What::Ran);
        self.link(of, run.clone(), What::Started);
    }

    fn pipeline(&mut self, made: &PipelineRun, run: &Key<'e>) {
        let (digest, text) = match fingerprint(&made.steps) {
            Ok(found) => found,
            Err(error) => return self.remarks.push(format!("`{}`: {error}", PipelineRun::KEY)),
        };
        let key = Key::pipeline(digest.to_string());
        let standing = match made.fingerprint {
            Some(stated) if stated != digest => {
                self.remarks.push(format!(
                    "`{}.fingerprint` is {stated}, but its steps have {digest}: the pipeline is contradicted",
                    PipelineRun::KEY
                ));
                Standing::Contradicted
            }
            _ => Standing::Recorded,
        };
        self.note(&key, PipelineRun::KEY, Cow::Owned(text));
        self.changes.push(Change::Link {
            from: key,
            to: run.clone(),
            what: What::Applied,
            role: None,
            standing,
        });
    }

    /// Whether the run answers, with what it answers by.
    fn serving(&mut self, run: &'e Run) -> bool {
        let Some(serving) = self.found::<Serving>(&run.facets) else { return false };
        let key = Key::serving_context(&run.id);
        let model = owned(&Key::model(&serving.model.name, &serving.model.version));
        self.link(model, key.clone(), What::Serves);
        self.link(Key::run(&run.id), key.clone(), What::Answers);
        if let Some(fingerprint) = serving.fingerprint {
            self.link(Key::pipeline(fingerprint.to_string()), Key::run(&run.id), What::Applied);
        }
        self.note(&key, Serving::KEY, Cow::Borrowed(run.facets[Serving::KEY].get()));
        true
    }

    /// What is said of a dataset; its version where that is said, or else itself.
    fn dataset(&mut self, dataset: &'e Dataset) -> Key<'e> {
        let (namespace, name) = (dataset.namespace.as_str(), dataset.name.as_str());
        let whole = Key::dataset(namespace, name);
        self.changes.push(Change::Node(whole.clone()));
        let named = self.found::<DatasetVersion>(&dataset.facets);
        let named = named.map(|of| Key::dataset_version(namespace, name, of.dataset_version));
        let content = self.found::<ContentDigest>(&dataset.facets);
        let digest =
            content.as_ref().map(|of| Key::dataset_version(namespace, name, format!("sha256:{}", of.digest)));
        for version in named.iter().chain(&digest) {
            self.link(whole.clone(), version.clone(), What::HasVersion);
        }
        if let (Some(digest), Some(content)) = (&digest, content) {
            let lasting = content.aliases.into_iter().filter(|alias| alias.strength != Strength::Weak);
            let aliases = lasting
                .map(|alias| Key::dataset_version(namespace, name, format!("{}:{}", alias.system, alias.id)));
            for alias in aliases.chain(named.clone()).filter(|alias| alias != digest) {
                self.link(whole.clone(), alias.clone(), What::HasVersion);
                self.link(alias, digest.clone(), What::SameAs);
            }
        }
        let version = digest.or(named).unwrap_or_else(|| whole.clone());
        self.notes(&version, &dataset.facets);
        self.notes(&version, &dataset.use_facets);
        self.around(dataset, &whole);
        self.columns(dataset);
        version
    }

    /// Where a dataset comes from, and its other names.
    fn around(&mut self, dataset: &'e Dataset, whole: &Key<'e>) {
        if let Some(DataSource { name, uri }) = self.found::<DataSource>(&dataset.facets)
            && let Some(name) = name.or(uri)
        {
            self.link(owned(&Key::source(&name)), whole.clone(), What::Supplies);
        }
        if let Some(origin) = self.found::<Origin>(&dataset.facets) {
            let raw = &dataset.facets[Origin::KEY];
            self.note(whole, Origin::KEY, Cow::Borrowed(raw.get()));
            if let Some(source) = origin.source {
                self.link(owned(&Key::source(&source)), whole.clone(), What::Supplies);
            }
        }
        let symlinks = self.found::<Symlinks>(&dataset.facets);
        for other in symlinks.into_iter().flat_map(|of| of.identifiers) {
            let other = owned(&Key::dataset(&other.namespace, &other.name));
            if other != *whole {
                self.link(other, whole.clone(), What::SameAs);
            }
        }
    }

    fn columns(&mut self, dataset: &'e Dataset) {
        let Some(lineage) = self.found::<ColumnLineage>(&dataset.facets) else { return };
        for (column, from) in lineage.fields {
            let to = owned(&Key::column(&dataset.namespace, &dataset.name, &column));
            self.changes.push(Change::Node(to.clone()));
            for input in from.input_fields {
                let from = owned(&Key::column(&input.namespace, &input.name, &input.field));
                if from != to {
                    self.link(from, to.clone(), What::Derived);
                }
            }
        }
    }
}

fn owned(key: &Key<'_>) -> Key<'static> {
    let text = |text: &str| Cow::Owned(text.to_owned());
    Key {
        kind: key.kind,
        namespace: text(&key.namespace),
        name: text(&key.name),
        version: text(&key.version),
    }
}
