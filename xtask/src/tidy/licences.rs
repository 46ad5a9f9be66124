//! Rule: everything that the program is built from has a licence that deny.toml allows.

use super::Violation;
use super::packages::Part;

pub(super) fn violations(program: &[Part], allowed: &[String]) -> Vec<Violation> {
    let refused =
        program.iter().filter(|part| !part.licence.as_ref().is_some_and(|terms| is_allowed(terms, allowed)));
    refused
        .map(|part| {
            let terms = part.licence.as_deref().unwrap_or("no licence expression");
            Violation::new(
                format!("{} {}", part.name, part.version),
                format!("`{terms}` is not allowed by deny.toml"),
            )
        })
        .collect()
}

/// Whether an SPDX expression can be met with the allowed licences alone. `OR` needs one side,
/// `AND` both; `/` is an old way to write `OR`. What cannot be read is not allowed.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) == Some(true) && rest.is_empty()
}

fn any_of(rest: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let mut met = all_of(rest, allowed)?;
    while let ["OR", tail @ ..] = *rest {
        *rest = tail;
        met |= all_of(rest, allowed)?;
    }
    Some(met)
}

fn all_of(rest: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let mut met = one(rest, allowed)?;
    while let ["AND", tail @ ..] = *rest {
        *rest = tail;
        met &= one(rest, allowed)?;
    }
    Some(met)
}

fn one(rest: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let is_in_list = |licence: &str| allowed.iter().any(|name| name == licence);
    match *rest {
        ["(", tail @ ..] => {
            *rest = tail;
            let met = any_of(rest, allowed)?;
            let (")", tail) = rest.split_first().map(|(word, tail)| (*word, tail))? else {
                return None;
            };
            *rest = tail;
            Some(met)
        }
        [licence, "WITH", exception, tail @ ..] => {
            *rest = tail;
            Some(is_in_list(&format!("{licence} WITH {exception}")))
        }
        [licence, tail @ ..] => {
            *rest = tail;
            Some(is_in_list(licence))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: bool) {
        let allowed =
            ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(String::from);
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }

    #[test]
    fn or_needs_one_side_and_and_needs_both() {
        check("MIT", true);
        check("MIT/GPL-3.0", true);
        check("GPL-3.0 OR Apache-2.0", true);
        check("GPL-3.0 AND MIT", false);
        check("(MIT OR GPL-3.0) AND Unicode-3.0", true);
        check("(MIT OR Apache-2.0) AND GPL-3.0", false);
        check("MIT AND GPL-3.0 OR Apache-2.0", true);
    }

    #[test]
    fn an_exception_is_a_licence_of_its_own() {
        check("Apache-2.0 WITH LLVM-exception", true);
        check("MIT WITH LLVM-exception", false);
        check("MIT WITH LLVM-exception OR MIT", true);
    }

    #[test]
    fn what_cannot_be_read_is_not_allowed() {
        for expression in ["", "(MIT", "MIT)", "MIT OR", "MIT Apache-2.0", "AND"] {
            check(expression, false);
        }
    }

    #[test]
    fn a_package_without_a_licence_is_named() {
        let part = Part { name: "a".into(), version: "1.0.0".into(), licence: None };
        let expected = Violation::new("a 1.0.0", "`no licence expression` is not allowed by deny.toml");
        assert_eq!(violations(&[part], &["MIT".into()]), [expected]);
    }
}
