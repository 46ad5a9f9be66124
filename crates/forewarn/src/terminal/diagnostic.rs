//! Errors: what was wrong, where, and the way out.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use types::definition::DefinitionError;

/// A message without a place.
pub(crate) fn error(message: &str) -> String {
    titled(Level::ERROR, message)
}

/// Something that stopped nothing.
pub(crate) fn warning(message: &str) -> String {
    titled(Level::WARNING, message)
}

fn titled(level: Level<'_>, message: &str) -> String {
    let report = &[level.primary_title(message).element(annotate_snippets::Padding)];
    let rendered = Renderer::styled().render(report);
    // The padding keeps the renderer from asking for a snippet; its bar says nothing here.
    format!("{}\n", rendered.lines().next().unwrap_or(message))
}

/// A mistake in a definition, with its line.
pub(crate) fn definition_error(path: &Path, text: &str, error: &DefinitionError) -> String {
    let file = path.to_string_lossy();
    let span = error.span(text).filter(|span| span.end <= text.len() && !text.is_empty());
    let Some(span) = span else {
        let help = error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        return self::error(&format!("{file}: {error}{help}"));
    };
    let message = error.to_string();
    let snippet = Snippet::source(text).path(&*file).annotation(AnnotationKind::Primary.span(span));
    let mut group = Level::ERROR.primary_title(&message).element(snippet);
    if let Some(help) = &error.help {
        group = group.element(Level::HELP.message(help));
    }
    format!("{}\n", Renderer::styled().render(&[group]))
}
