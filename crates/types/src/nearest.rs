//! The nearest valid choice, for messages that name the way out.

/// The candidate closest to `word` in spelling, where one is close enough to be a likely slip.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// `a, b, c` with at most `most` entries and a count of the rest.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let mut text = names.iter().take(most).copied().collect::<Vec<_>>().join(", ");
    if names.len() > most {
        text.push_str(&format!(" and {} more", names.len() - most));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_a_slip_and_no_far_word() {
        let columns = ["scheduled_departure", "p_delayed", "carrier"];
        assert_eq!(nearest("p_delay", columns), Some("p_delayed"));
        assert_eq!(nearest("Carier", columns), Some("carrier"));
        assert_eq!(nearest("zzz", columns), None);
    }

    #[test]
    fn listed_counts_what_it_leaves_out() {
        assert_eq!(listed(["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(listed(["a"], 2), "a");
    }
}
