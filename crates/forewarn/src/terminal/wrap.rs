//! Breaking sentences into lines.

/// Words of `text` in lines of at most `width` characters; a longer word gets a line of its own.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let text = printable(text);
    let mut lines: Vec<String> = Vec::new();
    for word in words(&text) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// The words of a text; a number and its unit are one.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if word.starts_with(['%', '×']) && last.ends_with(|c: char| c.is_ascii_digit()) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// The first `width` characters, with an ellipsis where something was cut off.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= width {
        return text;
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// A value of the data may hold control characters, which a terminal would obey.
fn printable(text: &str) -> String {
    let replaced =
        |c: char| if c.is_control() && !c.is_whitespace() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(replaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_to_the_width_and_lose_no_word() {
        let text = "the quick brown fox jumps over a_very_long_word_indeed and on";
        let lines = wrapped(text, 14);
        assert!(lines.iter().all(|line| line.chars().count() <= 14 || !line.contains(' ')));
        assert_eq!(lines.join(" "), text);
        assert_eq!(shortened("plane_manufacturer", 8), "plane_m…");
        assert_eq!(
            wrapped("it is 55.9 %, or 2.35 × (1.77 × to 3.13 ×) of all", 9),
            ["it is", "55.9 %,", "or 2.35 ×", "(1.77 ×", "to", "3.13 ×)", "of all"]
        );
        assert_eq!(shortened("\u{1b}[31mred", 20), "\u{fffd}[31mred");
    }
}
