//! The pages of the site: what all of them promise, on pages that are full and on those that are empty.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use types::{CheckId, Subject};
use view::site::link;

use crate::sample::site::World;

static PAGES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| World::sample().pages());

/// Every page under its path.
fn each(check: impl Fn(&str, &str)) {
    for (path, document) in PAGES.iter() {
        check(path, document);
    }
}

fn page(path: &str) -> &'static str {
    &PAGES.iter().find(|(of, _)| of == path).expect("the page is in the sample").1
}

fn attributes<'a>(document: &'a str, name: &str) -> Vec<&'a str> {
    let opening = format!(" {name}=\"");
    let found = document.match_indices(&opening).map(|(at, _)| &document[at + opening.len()..]);
    found.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_page_has_one_heading_of_the_first_rank_and_one_main() {
    each(|path, document| {
        assert_eq!(document.matches("<h1").count(), 1, "headings of {path}");
        assert_eq!(document.matches("<main").count(), 1, "mains of {path}");
        assert!(document.contains("<html lang=\"en\""), "{path}");
        assert!(document.contains("href=\"#main\""), "the skip link of {path}");
    });
}

#[test]
fn ids_are_unique_and_what_is_referred_to_is_there() {
    each(|path, document| {
        let ids = attributes(document, "id");
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        let twice: Vec<_> =
            ids.iter().filter(|id| ids.iter().filter(|other| other == id).count() > 1).collect();
        assert_eq!(ids.len(), unique.len(), "{path} has twice {twice:?}");
        let labels = ["for", "aria-labelledby", "aria-describedby"].map(|name| attributes(document, name));
        let anchors = attributes(document, "href").into_iter().filter_map(|href| href.strip_prefix('#'));
        for id in labels.concat().into_iter().chain(anchors) {
            assert!(unique.contains(id), "{path} refers to {id}");
        }
    });
}

#[test]
fn nothing_in_markup_runs_or_is_styled() {
    each(|path, document| {
        let scripts = document.matches("<script").count();
        assert_eq!(scripts, 1, "{path}");
        assert!(document.contains("<script src=\"/assets/site-"), "{path}");
        // Nothing is loaded from elsewhere or sent there; a provider's address may be read and followed.
        for forbidden in [" style=\"", "<style", "javascript:", "src=\"http", "action=\"http", "url("] {
            assert!(!document.contains(forbidden), "{path} contains {forbidden}");
        }
        let links = document.split("<link ").skip(1).map(|rest| rest.split('>').next().unwrap());
        assert!(links.into_iter().all(|link| !link.contains("://")), "{path} loads from elsewhere");
        let mut words = document.split(['<', ' ']);
        let handler = words.find(|word| word.starts_with("on") && word.contains("=\""));
        assert_eq!(handler, None, "{path}");
    });
}

#[test]
fn links_and_buttons_say_where_they_lead() {
    each(|path, document| {
        for element in ["a", "button"] {
            let opening = format!("<{element} ");
            for rest in document.split(&opening).skip(1) {
                let (tag, inside) = rest.split_once('>').unwrap();
                let inside = inside.split(&format!("</{element}>")).next().unwrap();
                let mut text = String::new();
                let mut in_tag = false;
                for c in inside.chars() {
                    match c {
                        '<' => in_tag = true,
                        '>' => in_tag = false,
                        c if !in_tag => text.push(c),
                        _ => {}
                    }
                }
                let named = !text.trim().is_empty() || tag.contains("aria-label=\"");
                assert!(named, "{path}: <{element} {tag}>");
                assert!(element != "a" || !tag.contains("href=\"\""), "{path}: an empty link");
            }
        }
    });
}

#[test]
fn every_form_that_changes_something_proves_where_it_comes_from() {
    each(|path, document| {
        for form in document.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let posts = form.contains("method=\"post\"");
            assert_eq!(posts, form.contains("name=\"csrf\" value=\"a-token-of-the-session\""), "{path}");
        }
    });
}

#[test]
fn every_field_has_a_label() {
    each(|path, document| {
        let labelled: BTreeSet<&str> = attributes(document, "for").into_iter().collect();
        for element in ["<input ", "<select ", "<progress "] {
            for rest in document.split(element).skip(1) {
                let tag = rest.split('>').next().unwrap();
                let spaced = format!(" {tag}");
                let id = attributes(&spaced, "id").first().copied();
                let inside_label = tag.contains("type=\"checkbox\"");
                let hidden = tag.contains("type=\"hidden\"") || tag.ends_with(" hidden");
                assert!(
                    hidden || inside_label || id.is_some_and(|id| labelled.contains(id)),
                    "{path}: {element}{tag}"
                );
            }
        }
    });
}

#[test]
fn an_empty_page_says_what_to_do_next() {
    for (path, said) in [
        ("/overview-empty", "forewarn serve FOLDER"),
        ("/systems/new", "the first weekly look is due on Monday"),
        ("/systems/flight-delay/stress", "What to do next"),
        ("/systems/flight-delay/govern", "never a pass"),
        ("/systems/flight-delay/compare-empty", "It takes two windows"),
        ("/alerts-pending", "no condition has begun to hold"),
        ("/jobs-empty", "Nothing is scheduled"),
        ("/channels-empty", "organisation.toml"),
        ("/search-empty", "Try a part of it"),
        ("/systems/new/brief", "nothing has been checked"),
        ("/problem-409", "load it anew"),
        ("/problem-429", "Wait 30 seconds"),
    ] {
        assert!(page(path).contains(said), "{path}: {said}");
    }
}

#[test]
fn what_is_searched_for_cannot_become_markup() {
    assert!(page("/search-empty").contains("&lt;b&gt;nothing&lt;/b&gt;"));
}

#[test]
fn the_stakeholder_view_has_no_jargon() {
    let pages = World::sample().pages();
    let (_, page) = pages.iter().find(|(path, _)| *path == link::brief("flight-delay")).unwrap();
    let checks =
        page.split("Is it behaving?").nth(1).unwrap().split("What do we do about it?").next().unwrap();
    for jargon in ["PSI", "AUC", "drift", "calibration", "segment", "slice", "percentile", "p-value"] {
        assert!(!checks.contains(jargon), "{jargon}");
    }
}

#[test]
fn someone_who_may_only_read_gets_no_buttons() {
    let world = World::sample();
    let mut frame = world.frame("/alerts/a-18");
    frame.reader.as_mut().unwrap().may_act = false;
    let page = view::site::alert::page(&frame, &crate::sample::site::alerts::alert(&world));
    assert!(!page.contains("/acknowledge") && !page.contains("/silence"));
    assert!(page.contains("Your role may read alerts"));
}

#[test]
fn a_check_is_reached_by_its_name_and_its_subject_by_its_key() {
    for check in CheckId::ALL {
        assert_eq!(link::series("s", check, None), format!("/systems/s/checks/{}", check.name()));
    }
}

#[test]
fn names_from_data_stay_text_everywhere() {
    const EVIL: &str = "\"><script>alert(1)</script>|`\n../x";
    let sample = World::sample();
    let (mut monitor, mut check) = (sample.monitor, sample.check);
    monitor.system.name = Some(EVIL.into());
    check.system.name = Some(EVIL.into());
    let evil = Subject::Feature { name: EVIL.into(), source: Some(EVIL.into()) };
    monitor.drift[0].subject = evil.clone();
    for finding in monitor.drift[0].findings.iter_mut().flatten() {
        finding.subject = evil.clone();
        finding.summary = EVIL.into();
    }
    for (path, document) in World::new(monitor, check).pages() {
        assert!(!document.contains("<script>"), "{path}");
        assert_eq!(document.matches("<script").count(), 1, "{path}");
        for href in attributes(&document, "href").iter().filter(|href| href.contains("/columns/")) {
            assert!(!href.contains("../") && !href.contains('<'), "{path}: {href}");
        }
    }
}
