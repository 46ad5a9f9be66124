//! Parts of forms: every form carries the token that proves that it came from a page of ours.

use maud::{Markup, html};

/// The field that the server compares with the session.
pub(super) const CSRF_FIELD: &str = "csrf";

pub(super) fn csrf(token: &str) -> Markup {
    html! { input type="hidden" name=(CSRF_FIELD) value=(token); }
}

/// A labelled line of text.
pub(super) struct Field<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    /// `text`, `email`, `password`, `date`.
    pub(super) kind: &'a str,
    pub(super) value: &'a str,
    /// Said below it.
    pub(super) hint: &'a str,
    pub(super) autocomplete: &'a str,
    pub(super) required: bool,
}

impl<'a> Field<'a> {
    pub(super) fn new(id: &'a str, name: &'a str, label: &'a str) -> Self {
        Self { id, name, label, kind: "text", value: "", hint: "", autocomplete: "off", required: true }
    }

    pub(super) fn markup(&self) -> Markup {
        let hint_id = format!("{}-hint", self.id);
        html! {
            div.field {
                label for=(self.id) { (self.label) }
                input id=(self.id) name=(self.name) type=(self.kind) value=(self.value) autocomplete=(self.autocomplete) required[self.required] aria-describedby=[(!self.hint.is_empty()).then_some(&hint_id)];
                @if !self.hint.is_empty() { p.sub id=(hint_id) { (self.hint) } }
            }
        }
    }
}

/// A labelled choice of one; options are value and text.
pub(super) fn select(
    id: &str,
    name: &str,
    label: &str,
    options: &[(String, String)],
    chosen: &str,
) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) {
                @for (value, text) in options { option value=(value) selected[value == chosen] { (text) } }
            }
        }
    }
}

/// What was wrong with what was sent, read out at once.
pub(super) fn error(said: Option<&str>) -> Markup {
    html! { @if let Some(said) = said { p.form-error role="alert" { (said) } } }
}
