//! Tells the code of a Rust file from its comments and from what stands in quotes.
//!
//! Just as much of a lexer as the rules need: a word in a message is no call, and a word in an
//! example of a doc comment is neither.

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Quoted,
}

/// The code and the comments. Everything else is blank in each, so lines stay where they are.
pub(super) fn split(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::new(), String::new());
    let mut at = 0;
    while at < chars.len() {
        let (kind, end) = token(&chars, at);
        for &c in &chars[at..end] {
            let blank = if c == '\n' { '\n' } else { ' ' };
            code.push(if kind == Kind::Code { c } else { blank });
            comments.push(if kind == Kind::Comment { c } else { blank });
        }
        at = end;
    }
    (code, comments)
}

/// What starts at `at`, and where it ends: a comment, a literal, or one character of code.
fn token(chars: &[char], at: usize) -> (Kind, usize) {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => (Kind::Comment, find(chars, at, |c, _| c == '\n')),
        '/' if next == Some('*') => (Kind::Comment, block_comment_end(chars, at)),
        '"' => (Kind::Quoted, quoted_end(chars, at, '"')),
        'r' if raw_hashes(chars, at).is_some() => (Kind::Quoted, raw_end(chars, at)),
        // A character; otherwise the quote begins a lifetime.
        '\'' if next == Some('\\') || chars.get(at + 2) == Some(&'\'') => {
            (Kind::Quoted, quoted_end(chars, at, '\''))
        }
        _ => (Kind::Code, at + 1),
    }
}

/// The first position from `from` on that `stop` accepts, or the end.
fn find(chars: &[char], from: usize, stop: impl Fn(char, usize) -> bool) -> usize {
    (from..chars.len()).find(|&at| stop(chars[at], at)).unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn quoted_end(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// How many `#` a raw string has that starts at the `r` at `at`; none where it is a name.
fn raw_hashes(chars: &[char], at: usize) -> Option<usize> {
    let is_name = |at: Option<usize>| at.is_some_and(|at| chars[at].is_alphanumeric() || chars[at] == '_');
    let before = at.checked_sub(1);
    let is_prefixed = before.is_some_and(|at| matches!(chars[at], 'b' | 'c')) && !is_name(at.checked_sub(2));
    if is_name(before) && !is_prefixed {
        return None;
    }
    let quote = find(chars, at + 1, |c, _| c != '#');
    (chars.get(quote) == Some(&'"')).then(|| quote - at - 1)
}

fn raw_end(chars: &[char], start: usize) -> usize {
    let hashes = raw_hashes(chars, start).unwrap_or_default();
    let closes = |c: char, at: usize| {
        c == '"' && chars.get(at + 1..=at + hashes).is_some_and(|tail| tail.iter().all(|&c| c == '#'))
    };
    let quote = find(chars, start + hashes + 2, closes);
    (quote + 1 + hashes).min(chars.len())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[track_caller]
    fn check(text: &str, code: &str, comments: &str) {
        let (found_code, found_comments) = split(text);
        assert_eq!(found_code.split_whitespace().collect::<Vec<_>>().join(" "), code);
        assert_eq!(found_comments.split_whitespace().collect::<Vec<_>>().join(" "), comments);
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        check("a(); // b", "a();", "// b");
        check("a /* b /* c */ d */ e", "a e", "/* b /* c */ d */");
        check(r#"a("// \" b", c)"#, "a( , c)", "");
        check(r##"a(r#"b " // c"#, br"\", d)"##, "a( , b , d)", "");
        check("a('\"', b'\\'', 'c') // d", "a( , b , )", "// d");
    }

    #[test]
    fn lifetimes_and_raw_names_are_code() {
        check("fn a<'b>(r#type: &'b str) // c", "fn a<'b>(r#type: &'b str)", "// c");
        check("var\"x\"", "var", "");
    }

    #[test]
    fn lines_stay_where_they_are() {
        let text = "a\n/* b\nc */ \"d\ne\"\nf";
        let (code, comments) = split(text);
        assert_eq!(code.lines().nth(4), Some("f"));
        assert_eq!(comments.lines().nth(2), Some("c */   "));
    }

    #[test]
    fn an_open_end_is_the_end() {
        for text in ["\"a", "/* a", "r#\"a\"", "'\\", "\"a\\"] {
            assert_eq!(split(text).0.chars().count(), text.chars().count(), "{text}");
        }
    }
}
