//! `forewarn alert test`: whether alerts would arrive.

use std::path::Path;

use app::definition_folder;
use app::delivery::{self, Receiver};
use app::organisation::{self, OrganisationError, OrganisationFile};
use types::message::{Message, MessageAlert, Occasion, Severity};

use super::Status;
use super::check::now;
use crate::cli::AlertTestOptions;
use crate::terminal::style::{BAD, BOLD, GOOD, styled};
use crate::terminal::{diagnostic, output};

pub(crate) fn test(options: &AlertTestOptions) -> Status {
    match tested(options) {
        Ok(status) => status,
        Err(message) => {
            output::error(&message);
            Status::Impossible
        }
    }
}

/// Sends the message to all receivers, or says why nothing was sent.
fn tested(options: &AlertTestOptions) -> Result<Status, String> {
    let folder = definition_folder(&options.path);
    let file = match &options.organisation {
        Some(path) => organisation::read(path),
        None => organisation::find(&folder),
    };
    let file = file.map_err(|error| match &error {
        OrganisationError::Mistake { path, text, error } => diagnostic::definition_error(path, text, error),
        error => diagnostic::error(&error.to_string()),
    })?;
    let receivers = receivers(options, &file).map_err(|message| diagnostic::error(&message))?;
    let (id, name) = system(&options.path, &file)?;
    let mut status = Status::Fine;
    for receiver in &receivers {
        let mut occasions = vec![Occasion::Test];
        if options.resolve {
            occasions.push(Occasion::Resolved);
        }
        for occasion in occasions {
            if !sent(&file, receiver, &message(&id, &name, occasion)) {
                status = Status::Shut;
                break;
            }
        }
    }
    Ok(status)
}

/// Sends one message and prints a line about it.
fn sent(file: &OrganisationFile, receiver: &Receiver, message: &Message) -> bool {
    let outcome = delivery::deliver(&file.organisation, file.folder(), receiver, message, now());
    let name = styled(BOLD, &receiver.name);
    let what = if message.occasion == Occasion::Resolved { "resolved" } else { "test" };
    match &outcome {
        Ok(delivered) => output::print(&format!(
            "{} {name}  {what} taken by {}: {}\n",
            styled(GOOD, "✓"),
            delivered.by,
            delivered.said
        )),
        Err(error) => output::print(&format!("{} {name}  {error}\n", styled(BAD, "✗"))),
    }
    outcome.is_ok()
}

/// Those that are asked for, or all channels.
fn receivers(options: &AlertTestOptions, file: &OrganisationFile) -> Result<Vec<Receiver>, String> {
    let organisation = &file.organisation;
    if options.to.is_empty() && organisation.channel.is_empty() {
        return Err(format!(
            "`{}` has no channel to test: add [[channel]], or give --to email:ADDRESS",
            file.path.display()
        ));
    }
    if options.to.is_empty() {
        return Ok(organisation.channel.iter().map(Receiver::from).collect());
    }
    let resolve = |name: &String| delivery::resolve(name, organisation).map_err(|error| error.to_string());
    options.to.iter().map(resolve).collect()
}

/// Id and name of the system; without a definition those of the organisation.
fn system(path: &Path, file: &OrganisationFile) -> Result<(String, String), String> {
    let definition = if path.is_dir() { path.join("forewarn.toml") } else { path.to_owned() };
    if !definition.exists() {
        let name = file.organisation.name.clone().unwrap_or_else(|| "Forewarn".into());
        return Ok(("forewarn".into(), name));
    }
    let text = std::fs::read_to_string(&definition)
        .map_err(|error| diagnostic::error(&format!("failed to read `{}`: {error}", definition.display())))?;
    let parsed = types::definition::parse(&text)
        .map_err(|error| diagnostic::definition_error(&definition, &text, &error))?;
    Ok((parsed.system.id.clone(), parsed.system.display_name().to_owned()))
}

fn message(id: &str, name: &str, occasion: Occasion) -> Message {
    let at = now();
    let is_over = occasion == Occasion::Resolved;
    let what_happened = if is_over {
        "Somebody ran `forewarn alert test --resolve`: this is how the end of an alert is told."
    } else {
        "Somebody ran `forewarn alert test`, to see whether alerts arrive here. Nothing is wrong."
    };
    Message {
        occasion,
        severity: Severity::Info,
        at,
        system: id.to_owned(),
        system_name: name.to_owned(),
        group: "alert-test".into(),
        title: format!("{name}: alerts arrive here"),
        what_happened: what_happened.into(),
        how_sure: "Certain: it is a test.".into(),
        who_is_affected: "Nobody.".into(),
        what_to_do: "Nothing, if you expected it.".into(),
        link: None,
        alerts: vec![MessageAlert {
            rule: "forewarn-alert-test".into(),
            subject: "delivery".into(),
            severity: Severity::Info,
            since: at,
            resolved: is_over,
            summary: "A test of delivery.".into(),
        }],
    }
}
