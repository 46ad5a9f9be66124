//! `[model]`: which model the log is of, and where it can be asked again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Age, Definition, DefinitionError};

/// The model version whose predictions the log holds, and where it can be asked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// The version, as it was released.
    pub version: String,
    /// What the model predicts.
    pub task: Task,
    /// The model file, relative to the definition.
    pub onnx: Option<String>,
    /// Where a server answers for the model, such as `http://127.0.0.1:5000/invocations`.
    pub endpoint: Option<String>,
    /// What the server speaks.
    pub protocol: Protocol,
    /// Of `protocol = "json"`: the request, in which `"{records}"`, `"{rows}"` with `"{columns}"`, or `"{record}"`
    /// stand for rows, such as `{"instances": "{records}"}`.
    pub request: Option<String>,
    /// Of `protocol = "json"`: where the answers are, as a JSON pointer such as `/predictions`.
    pub answers: String,
    /// A program that answers for the model over lines of JSON, with its arguments; it runs in the folder of the
    /// definition.
    pub command: Vec<String>,
    /// The columns that the model takes, in its order; by default the features.
    pub inputs: Vec<String>,
    /// Which of several outputs is the score.
    pub output: Option<String>,
    /// How long one answer may take.
    pub timeout: Age,
    /// How much longer the first answer of a program may take, which loads its libraries and the model.
    pub start_timeout: Age,
    /// Hosts beside this machine that may be asked: a test of faults is load for whoever answers.
    pub allowed_hosts: Vec<String>,
    /// The shared library of ONNX Runtime, where it is not found by itself.
    pub onnx_runtime: Option<String>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            version: "unversioned".into(),
            task: Task::Binary,
            onnx: None,
            endpoint: None,
            protocol: Protocol::Mlflow,
            request: None,
            answers: "/predictions".into(),
            command: Vec::new(),
            inputs: Vec::new(),
            output: None,
            timeout: Age::of_seconds(10),
            start_timeout: Age::of_seconds(60),
            allowed_hosts: Vec::new(),
            onnx_runtime: None,
        }
    }
}

/// Where a model can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// A file, relative to the definition.
    Onnx(&'a str),
    Endpoint(&'a str),
    Command(&'a [String]),
}

impl Model {
    /// Where the model can be asked; `None` where the definition does not say.
    pub fn asked(&self) -> Option<Asked<'_>> {
        // A server or a program in front of a file is what answers in production.
        let endpoint = self.endpoint.as_deref().map(Asked::Endpoint);
        let command = (!self.command.is_empty()).then_some(Asked::Command(&self.command));
        endpoint.or(command).or(self.onnx.as_deref().map(Asked::Onnx))
    }
}

/// What a server of models speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// MLflow's scoring server: `/invocations` with `dataframe_split`.
    #[default]
    Mlflow,
    /// The Open Inference Protocol, version 2, over REST: KServe, Triton, MLServer, Seldon.
    Oip,
    /// JSON of a form of its own, described by `request` and `answers`.
    Json,
}

/// What the model predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One of two classes; the score is the probability of the positive one.
    #[default]
    Binary,
    /// One of several classes; there is a probability for each.
    Multiclass,
    /// A number.
    Regression,
}

impl Task {
    pub const ALL: [Self; 3] = [Self::Binary, Self::Multiclass, Self::Regression];

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Multiclass => "multiclass",
            Self::Regression => "regression",
        }
    }
}

/// Checks what can be checked of the model without asking it.
///
/// # Errors
/// The first [`DefinitionError`], at its key.
pub(super) fn check_values(definition: &Definition) -> Result<(), DefinitionError> {
    check_asked(&definition.model, "model")
}

/// Checks how a model is asked, under the key where it is described.
pub(super) fn check_asked(model: &Model, at: &str) -> Result<(), DefinitionError> {
    let refused = |key: &str, message: &str, help: &str| {
        Err(DefinitionError::at_key(format!("{at}.{key}"), message).with_help(Some(help.to_owned())))
    };
    if model.endpoint.is_some() && !model.command.is_empty() {
        return refused(
            "command",
            "the model is asked by `endpoint` and by `command`",
            "keep the one that answers",
        );
    }
    if model.command.first().is_some_and(String::is_empty) {
        return refused(
            "command",
            "`command` names no program",
            "write command = [\"python3\", \"serve.py\"]",
        );
    }
    match (model.protocol, &model.request) {
        (Protocol::Json, None) => refused(
            "protocol",
            "protocol \"json\" needs to know what to send",
            "add request = '{\"instances\": \"{records}\"}'",
        ),
        (Protocol::Mlflow | Protocol::Oip, Some(_)) => refused(
            "request",
            "`request` is of protocol \"json\" only",
            "write protocol = \"json\", or remove it",
        ),
        _ => Ok(()),
    }
}
