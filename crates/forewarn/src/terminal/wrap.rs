//! Breaking sentences into lines.

/// Words of `text` in lines of at most `width` characters; a longer word gets a line of its own.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The first `width` characters, with an ellipsis where something was cut off.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
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
    }
}
