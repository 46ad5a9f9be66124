//! The model of a definition, ready to be asked.

use std::path::Path;
use std::time::Duration;

use serving::http::{Endpoint, Limits};
use serving::onnx::Settings;
use serving::{Mlflow, Onnx, OpenInference, Reading, Subprocess, SubprocessLimits, Target, Template, Wanted};
use types::definition::{Asked, Definition, DefinitionError, Model, Protocol, Task};

use crate::outgoing;

/// The path of a model of the Open Inference Protocol: `…/v2/models/NAME/infer`.
const MODELS: &str = "/v2/models/";

/// A model as it is described under a key of the definition: the one of the log, or one that stands in for it.
#[derive(Clone, Copy)]
pub(super) struct Described<'a> {
    pub(super) model: &'a Model,
    /// Such as `model` or `stress.degradation.fallback.0`.
    pub(super) key: &'a str,
}

impl<'a> Described<'a> {
    /// The model of the log.
    pub(super) fn of_log(definition: &'a Definition) -> Self {
        Self { model: &definition.model, key: "model" }
    }
}

/// Opens a model, and says where it is asked; the error is at its key.
pub(super) fn target(
    described: Described<'_>,
    definition: &Definition,
    folder: &Path,
    inputs: &[String],
) -> Result<(Box<dyn Target>, String), DefinitionError> {
    let Described { model, key } = described;
    let reading = reading(model, definition);
    let within = Duration::from(model.timeout);
    match model.asked() {
        None => Err(DefinitionError::at_key(key, "nothing says where the model can be asked").with_help(
            Some("add onnx = \"model.onnx\", endpoint = \"http://…\" or command = [\"…\"]".into()),
        )),
        Some(Asked::Onnx(file)) => {
            let settings = Settings {
                library: model.onnx_runtime.as_ref().map(|library| folder.join(library)),
                order: inputs.to_vec(),
                output: model.output.clone(),
                reading,
                within,
                ..Settings::default()
            };
            let opened = Onnx::open(&folder.join(file), settings);
            let opened =
                opened.map_err(|error| DefinitionError::at_key(format!("{key}.onnx"), error.to_string()))?;
            Ok((Box::new(opened), file.to_owned()))
        }
        Some(Asked::Command(command)) => {
            let limits = SubprocessLimits { call: within, start: Duration::from(model.start_timeout) };
            let program = Subprocess::new(command.to_vec(), Some(folder.to_owned()), limits, reading);
            Ok((Box::new(program), command.join(" ")))
        }
        Some(Asked::Endpoint(address)) => {
            Ok((at_endpoint(described, address, within, reading)?, address.to_owned()))
        }
    }
}

/// A way to ask another address as the model's server is asked, by somebody who waits so long.
pub(super) fn caller(
    definition: &Definition,
    address: &str,
    within: Duration,
) -> Result<Box<dyn Target>, DefinitionError> {
    let described = Described::of_log(definition);
    at_endpoint(described, address, within, reading(described.model, definition))
}

/// A server, for whoever asks it as it is.
pub(super) fn server(
    described: Described<'_>,
    address: &str,
    within: Duration,
) -> Result<Endpoint, DefinitionError> {
    let Described { model, key } = described;
    let made = Endpoint::new(outgoing::agent(within), address, &model.allowed_hosts);
    let limits = Limits { connect: within, call: within, ..Limits::default() };
    made.map(|made| made.with_limits(limits))
        .map_err(|error| DefinitionError::at_key(format!("{key}.endpoint"), error.to_string()))
}

fn at_endpoint(
    described: Described<'_>,
    address: &str,
    within: Duration,
    reading: Reading,
) -> Result<Box<dyn Target>, DefinitionError> {
    let Described { model, key: at } = described;
    let refused = |key: &str, message: String| DefinitionError::at_key(format!("{at}.{key}"), message);
    let endpoint = |address: &str| server(described, address, within);
    Ok(match model.protocol {
        Protocol::Mlflow => Box::new(Mlflow::new(endpoint(address)?, reading)),
        Protocol::Oip => {
            let named = address.split_once(MODELS).map(|(base, rest)| (base, rest.trim_end_matches('/')));
            let Some((base, name)) = named else {
                let message =
                    format!("`{address}` does not say which model: write http://HOST{MODELS}NAME/infer");
                return Err(refused("endpoint", message));
            };
            let name = name.strip_suffix("/infer").unwrap_or(name);
            Box::new(OpenInference::new(endpoint(base)?, name, model.output.clone(), reading))
        }
        Protocol::Json => {
            let request = serde_json::from_str(model.request.as_deref().unwrap_or_default())
                .map_err(|error| refused("request", format!("the request is no JSON: {error}")))?;
            let template = Template::new(endpoint(address)?, request, model.answers.clone(), reading);
            Box::new(template.map_err(|error| refused("request", error.to_string()))?)
        }
    })
}

/// What is wanted of an answer: a number, or a probability for each class in the order of the definition.
fn reading(model: &Model, definition: &Definition) -> Reading {
    let wanted = match definition.model.task {
        Task::Binary | Task::Regression => Wanted::Number { class: None },
        Task::Multiclass => {
            Wanted::Probabilities { classes: definition.log.scores.keys().cloned().collect() }
        }
    };
    Reading { wanted, field: model.output.clone() }
}
