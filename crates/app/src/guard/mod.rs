//! A guard in front of a model's server: the definition, the reference, the policy and the log, put together for
//! `serving::guard`, which does the rest.
//!
//! [`open`] reads what there is, [`Opened::serve`] answers until it is told to stop. What was logged becomes files of
//! the log all the while (`keeping`).

mod journal;
mod keeping;
mod policy;
mod reference;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::ingest::{Durability, Ingest, IngestError, IngestOptions, Table, TableKind};
use engine::{Engine, EngineError, EngineOptions};
use serving::guard::{
    BreakerSettings, CacheSettings, GuardLimits, Listening, Odd, Parts, Pause, Questions, ServeError,
    Settings,
};
use serving::http::Endpoint;
use types::definition::{AnswerAfter, Definition, DefinitionError, Guard, Model, Protocol, Unlogged, Unread};
use url::Url;

use self::journal::LogJournal;
use self::keeping::Keeping;
use self::policy::{Enforced, PolicyError};
use self::reference::Reference;
use crate::check::CheckError;
use crate::opened::{self, Located};
use crate::signing::{self, SigningError};
use crate::state::FOLDER;
use crate::stress::asking::{self, Described, MODELS};
use crate::{outgoing, stress};

/// Where a guard keeps what is not in the log's files yet, below the folder of state.
const OWN_FOLDER: &str = "guard";
const KEY_FILE: &str = "node.key";
/// Connections to each other model.
const CONNECTIONS: usize = 4;

/// What to guard, and where.
#[derive(Clone, Debug)]
pub struct GuardRequest {
    /// A folder with a definition, or the definition itself.
    pub path: PathBuf,
    /// By default what the definition says.
    pub listen: Option<SocketAddr>,
    /// By default what the definition says.
    pub policy: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("failed to start a thread: {0}")]
    Thread(std::io::Error),
}

impl From<EngineError> for GuardError {
    fn from(error: EngineError) -> Self {
        Self::Check(error.into())
    }
}

/// A guard that is about to answer.
#[derive(Debug)]
pub struct Opened {
    listening: Listening,
    settings: Settings,
    parts: Parts,
    table: Arc<Table>,
    /// What whoever starts it should know.
    pub notes: Vec<String>,
}

/// Reads the definition, the reference and the policy, opens the log and takes the address.
///
/// # Errors
/// Something of it is not there or cannot be used.
pub fn open(request: &GuardRequest) -> Result<Opened, GuardError> {
    let located = opened::locate(&request.path)?;
    let definition = located.definition()?;
    let mistake = |error: DefinitionError| located.mistake(error);
    let Some(guard) = definition.guard.clone() else {
        let message =
            "there is no [guard]: the guard adds columns to the log, which have to be told from features";
        let help = "add a line `[guard]`; its keys all have defaults".to_owned();
        return Err(mistake(DefinitionError::at_key("log", message).with_help(Some(help))).into());
    };
    let mut notes = Vec::new();
    let (upstream, questions) = asked_at(&definition).map_err(mistake)?;
    let reference = reference_of(request, &located, &definition, &mut notes)?;
    let file = request.policy.clone().or_else(|| guard.policy.as_ref().map(|file| located.folder.join(file)));
    let policy = match &file {
        Some(file) => Enforced::read(file, &definition, reference.as_ref(), &mut notes)?,
        None => Enforced::default(),
    };
    let others = policy.others.iter().map(|model| other(model, &definition, &located, &policy.inputs));
    let others = others.collect::<Result<_, DefinitionError>>().map_err(mistake)?;
    let table = table(&definition, &located.folder)?;
    let listen = request.listen.or_else(|| guard.listen.parse().ok());
    // A definition that was read has an address.
    let listening = Listening::on(listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8081))))?;
    let durability = match guard.answer_after {
        AnswerAfter::Write => Durability::Written,
        AnswerAfter::Sync => Durability::Synced,
    };
    let settings = settings(&definition, &guard, (upstream, questions), reference.as_ref(), &policy);
    let journal = Box::new(LogJournal::new(Arc::clone(&table), &definition, &guard.columns, durability));
    let parts = Parts { journal, remedies: Box::new(policy), others };
    Ok(Opened { listening, settings, parts, table, notes })
}

impl Opened {
    /// Where it listens.
    pub fn url(&self) -> String {
        self.listening.url()
    }

    /// The server that it stands before.
    pub fn upstream(&self) -> &Url {
        &self.settings.upstream
    }

    /// Answers until the process is told to stop; then all that is logged becomes files, as far as that is done soon.
    ///
    /// # Errors
    /// The listener fails.
    pub fn serve(self) -> Result<(), GuardError> {
        let keeping = Keeping::start(self.table).map_err(GuardError::Thread)?;
        let served = self.listening.serve(self.settings, self.parts, std::future::pending());
        keeping.stop();
        Ok(served?)
    }
}

fn settings(
    definition: &Definition,
    guard: &Guard,
    (upstream, questions): (Url, Questions),
    reference: Option<&Reference>,
    policy: &Enforced,
) -> Settings {
    let pause = Pause::For(Duration::from(guard.cool_off));
    let breaker = BreakerSettings { failures: guard.failures, pause };
    let inputs = &definition.model.inputs;
    let named = definition.log.features.clone().unwrap_or_default();
    let order = match reference {
        _ if !inputs.is_empty() => inputs.clone(),
        Some(reference) => reference.expected.iter().map(|of| of.name.clone()).collect(),
        None => named,
    };
    Settings {
        upstream,
        questions,
        expected: reference.map(|reference| reference.expected.clone()).unwrap_or_default(),
        odd: Odd { unseen: guard.unseen, out_of_range: guard.out_of_range },
        order,
        reading: asking::reading(&definition.model, definition),
        id: definition.log.id.clone().unwrap_or_default(),
        breaker: policy.breaker.unwrap_or(breaker),
        cache: guard.cache.as_ref().map(|cache| CacheSettings {
            key: cache.key.clone(),
            rows: cache.rows as usize,
            age: Duration::from(cache.age),
        }),
        limits: GuardLimits {
            call: Duration::from(guard.timeout.unwrap_or(definition.model.timeout)),
            body_bytes: guard.body_bytes as usize,
        },
        refuses_unread: guard.unread == Unread::Refuse,
        refuses_unlogged: guard.unlogged == Unlogged::Refuse,
    }
}

/// The model's server, and which requests are questions to the model.
fn asked_at(definition: &Definition) -> Result<(Url, Questions), DefinitionError> {
    let model = &definition.model;
    let refused = |message: String| DefinitionError::at_key("model.endpoint", message);
    let Some(address) = &model.endpoint else {
        let message = "nothing says where the model's server is";
        let help = "add endpoint = \"http://127.0.0.1:5000/invocations\"".to_owned();
        return Err(DefinitionError::at_key("model", message).with_help(Some(help)));
    };
    let within = Duration::from(model.timeout);
    Endpoint::new(outgoing::agent(within), address, &model.allowed_hosts)
        .map_err(|error| refused(error.to_string()))?;
    let url = Url::parse(address).map_err(|error| refused(error.to_string()))?;
    let questions = match model.protocol {
        Protocol::Mlflow => Questions::mlflow(&url),
        Protocol::Oip => {
            let named = url.path().split_once(MODELS);
            let (base, model_name) = named.ok_or_else(|| {
                refused(format!("`{address}` does not say which model: write http://HOST{MODELS}NAME/infer"))
            })?;
            let model_name = model_name.trim_end_matches('/');
            let model_name = model_name.strip_suffix("/infer").unwrap_or(model_name);
            Questions::OpenInference {
                base: base.to_owned(),
                model: model_name.to_owned(),
                output: model.output.clone(),
            }
        }
        Protocol::Json => {
            let message = "the guard reads requests of MLflow and of the Open Inference Protocol".to_owned();
            return Err(DefinitionError::at_key("model.protocol", message));
        }
    };
    Ok((url, questions))
}

/// What the log's reference knows of inputs; none while there is no log.
fn reference_of(
    request: &GuardRequest,
    located: &Located,
    definition: &Definition,
    notes: &mut Vec<String>,
) -> Result<Option<Reference>, GuardError> {
    let engine = Engine::new(EngineOptions::default())?;
    let is_none = matches!(
        engine.open(definition, &located.folder, None),
        Err(EngineError::NotFound { .. } | EngineError::NoFiles { .. } | EngineError::NoRows { .. })
    );
    let reference = if is_none {
        None
    } else {
        let opened = opened::Opened::at(&engine, &request.path)?;
        Reference::of(&opened, &stress::inputs(&opened)?)?
    };
    if reference.is_none() {
        let note = "The reference has no rows yet: inputs are logged, and not held against anything.";
        notes.push(note.to_owned());
    }
    Ok(reference)
}

/// Another model that the policy names: an address, or a file in ONNX.
fn other(
    named: &str,
    definition: &Definition,
    located: &Located,
    inputs: &[String],
) -> Result<Vec<Box<dyn serving::Target>>, DefinitionError> {
    let is_address = named.starts_with("http://") || named.starts_with("https://");
    let model = Model {
        command: Vec::new(),
        endpoint: is_address.then(|| named.to_owned()),
        onnx: (!is_address).then(|| named.to_owned()),
        ..definition.model.clone()
    };
    let described = Described { model: &model, key: "guard" };
    let open = |_| asking::target(described, definition, &located.folder, inputs).map(|(target, _)| target);
    let opened = (0..CONNECTIONS).map(open);
    opened.collect::<Result<_, _>>().map_err(|error: DefinitionError| {
        DefinitionError::at_key("guard", format!("the policy's model `{named}`: {error}"))
    })
}

/// The log, with a state and a name of its own: a server that takes in predictions has another.
fn table(definition: &Definition, folder: &Path) -> Result<Arc<Table>, GuardError> {
    let state = folder.join(FOLDER).join(OWN_FOLDER);
    let node = signing::name(&signing::key(&state.join(KEY_FILE))?);
    let options = IngestOptions { node, errors_told: usize::MAX, ..IngestOptions::default() };
    let ingest = Ingest::open(&state, options)?;
    Ok(ingest.table(definition, folder, TableKind::Predictions)?)
}
