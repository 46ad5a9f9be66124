//! The frame that every report shares: one HTML file that can be mailed, nothing fetched, nothing sent.
//!
//! A report brings its title, the facts of its header and its sections; the style sheet, the script,
//! verdict icons, gates and tables of measures are here. The script only adds comfort (values on
//! hover, light and dark, opening all rows); without it a page says the same.

pub(crate) mod effect;
pub(crate) mod gates;
pub(crate) mod glossary;
pub(crate) mod header;
pub(crate) mod measures;
pub(crate) mod method;
pub(crate) mod performance;
pub(crate) mod tile;
pub(crate) mod together;
pub(crate) mod verdict;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use types::Verdict;
use types::finding::Finding;

pub(crate) const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Nothing may be fetched, whatever ends up in the page.
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// The section that every report opens with.
pub(crate) const FIRST: &str = "glance";

/// What a report fills the frame with.
pub(crate) struct Page<'a> {
    pub(crate) title: String,
    /// Name and version of the program that made it.
    pub(crate) program: &'a str,
    /// Rules of this report alone, after the shared ones.
    pub(crate) style: &'static str,
    /// Shapes that its charts refer to.
    pub(crate) shapes: Markup,
    pub(crate) header: Markup,
    pub(crate) sections: Vec<Section>,
}

impl Page<'_> {
    /// The page as one self-contained HTML document.
    pub(crate) fn document(&self) -> String {
        html! {
            (DOCTYPE)
            html lang="en" {
                (self.head())
                body {
                    (verdict::icons())
                    (self.shapes)
                    a.skip href=(format!("#{FIRST}")) { "Skip to the result" }
                    (self.header)
                    (self.nav())
                    main {
                        @for section in &self.sections { (section.markup()) }
                    }
                    footer {
                        p { "Made by " (self.program) ". This file is complete in itself: it loads nothing and sends nothing." }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        }
        .into_string()
    }

    fn head(&self) -> Markup {
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(self.program);
                meta http-equiv="Content-Security-Policy" content=(CONTENT_POLICY);
                link rel="icon" href="data:,";
                title { (self.title) }
                style { (PreEscaped(STYLE)) (PreEscaped(self.style)) }
            }
        }
    }

    fn nav(&self) -> Markup {
        html! {
            nav.sections aria-label="Sections" {
                div.inner {
                    ul {
                        @for section in &self.sections {
                            li { a href=(format!("#{}", section.id)) {
                                (section.short)
                                @if let Some(worst) = section.worst_to_show() { (verdict::icon(worst)) }
                            } }
                        }
                    }
                }
            }
        }
    }
}

/// A part of the page that answers one question.
pub(crate) struct Section {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// The title in the navigation.
    pub(crate) short: &'static str,
    pub(crate) question: &'static str,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) body: Markup,
}

impl Section {
    pub(crate) fn markup(&self) -> Markup {
        html! {
            section id=(self.id) aria-labelledby=(format!("{}-title", self.id)) {
                div.section-head {
                    div {
                        h2 id=(format!("{}-title", self.id)) { (self.title) }
                        p.question { (self.question) }
                    }
                    (verdict::counts(&self.verdicts))
                }
                (self.body)
            }
        }
    }

    /// What the navigation marks: only what needs somebody's eyes.
    fn worst_to_show(&self) -> Option<Verdict> {
        let worst = Verdict::worst(self.verdicts.iter().copied());
        worst.filter(|worst| self.id != FIRST && *worst != Verdict::Pass)
    }
}

pub(crate) fn verdicts(findings: &[&Finding]) -> Vec<Verdict> {
    findings.iter().map(|finding| finding.verdict).collect()
}

/// The findings, worst first; those of equal verdict stay in their order.
pub(crate) fn worst_first<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<&'a Finding> {
    let mut findings: Vec<&Finding> = findings.into_iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    findings
}
