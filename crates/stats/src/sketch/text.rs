//! The summary of a column of free text: how long texts are, what they are made of, which words they use.
//!
//! Each text is a few numbers (its length, the share of letters in it, …) and a set of *tokens*: its runs of
//! letters and digits, in lower case, of which the first [`TOKEN_CHARACTERS`] characters count. A language
//! that is written without spaces has long tokens; lengths and shares serve it all the same.
//!
//! Texts are divided in two halves by their hash. The tokens of the *learnt* half are a vocabulary; of each
//! text of the *probed* half, one token is drawn, by the hash too. Whether that token is in the vocabulary of a
//! reference is one fact per row about rows that took no part in the vocabulary, and so it means the same in
//! the reference and after it: a test of the two shares needs no assumption about words.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};

use super::tokens::{TokenCounts, TokenRows};
use super::{Fidelity, FrequentValues, QuantileSketch};
use crate::ecdf::Ecdf;
use crate::random::SplitMix64;

/// Of a longer token only so many characters count.
pub const TOKEN_CHARACTERS: usize = 64;
/// Different tokens of each half that are all kept; see [`TokenCounts`].
const MOST_TOKENS: usize = 1 << 16;
/// Tokens that are kept as they are written, the frequent ones: for examples.
const MOST_WRITTEN_TOKENS: usize = 1 << 11;

/// A number that every text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextQuantity {
    /// Unicode characters.
    Characters,
    /// Tokens.
    Words,
    /// Letters among the characters; none of an empty text.
    LetterShare,
    DigitShare,
    /// Characters that are neither letters, digits nor white space.
    SymbolShare,
    WhitespaceShare,
    /// Upper case among the letters; none of a text without letters.
    UpperCaseShare,
    /// Characters outside ASCII.
    NonAsciiShare,
}

impl TextQuantity {
    pub const ALL: [Self; 8] = [
        Self::Characters,
        Self::Words,
        Self::LetterShare,
        Self::DigitShare,
        Self::SymbolShare,
        Self::WhitespaceShare,
        Self::UpperCaseShare,
        Self::NonAsciiShare,
    ];
}

/// The summary of a column of texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextProfile {
    pub nulls: u64,
    rows: u64,
    /// In the order of [`TextQuantity::ALL`].
    quantities: Vec<QuantileSketch>,
    learnt_rows: u64,
    learnt: TokenCounts,
    probed: TokenCounts,
    /// One token of each probed row that has one.
    drawn: TokenCounts,
    written: FrequentValues,
}

impl TextProfile {
    pub fn new(fidelity: Fidelity) -> Self {
        Self {
            nulls: 0,
            rows: 0,
            quantities: TextQuantity::ALL.map(|_| QuantileSketch::new(fidelity)).into(),
            learnt_rows: 0,
            learnt: TokenCounts::new(MOST_TOKENS),
            probed: TokenCounts::new(MOST_TOKENS),
            drawn: TokenCounts::new(MOST_TOKENS),
            written: FrequentValues::new(MOST_WRITTEN_TOKENS),
        }
    }

    /// Adds texts, none of which is null.
    pub fn extend<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        let mut values: [Vec<f64>; 8] = Default::default();
        let mut tokens = Tokens::default();
        for text in texts {
            self.rows += 1;
            tokens.read(text);
            for (values, value) in values.iter_mut().zip(quantities(text, tokens.all.len())) {
                values.extend(value);
            }
            self.add_tokens(text, &mut tokens);
        }
        for (sketch, values) in self.quantities.iter_mut().zip(&values) {
            sketch.extend(values);
        }
    }

    fn add_tokens(&mut self, text: &str, tokens: &mut Tokens) {
        // Not the hash of a token, which a text of one word would share.
        let hash = mixed(!token_hash(text));
        let is_probed = hash & 1 == 0;
        if is_probed && let Some(last) = tokens.all.len().checked_sub(1) {
            let drawn = (hash >> 1) % (last as u64 + 1);
            self.drawn.add(tokens.all[drawn as usize]);
        }
        self.learnt_rows += u64::from(!is_probed);
        let counts = if is_probed { &mut self.probed } else { &mut self.learnt };
        for (hash, written) in tokens.different() {
            counts.add(*hash);
            self.written.add(written, 1);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        self.rows += other.rows;
        for (mine, theirs) in self.quantities.iter_mut().zip(&other.quantities) {
            mine.merge(theirs);
        }
        self.learnt_rows += other.learnt_rows;
        self.learnt.merge(&other.learnt);
        self.probed.merge(&other.probed);
        self.drawn.merge(&other.drawn);
        self.written.merge(&other.written);
    }

    /// Rows with a text, empty ones included.
    pub fn present(&self) -> u64 {
        self.rows
    }

    pub fn rows(&self) -> u64 {
        self.rows + self.nulls
    }

    /// The distribution of each quantity, in the order of [`TextQuantity::ALL`].
    pub fn ecdfs(&self) -> Vec<Ecdf> {
        self.quantities.iter().map(QuantileSketch::ecdf).collect()
    }

    /// All tokens, in how many rows each occurs.
    pub fn tokens(&self) -> TokenRows<'_> {
        TokenRows { rows: self.rows, parts: [&self.learnt, &self.probed] }
    }

    /// Tokens that are frequent, as they are written, with about the number of rows that have them.
    pub fn written_tokens(&self) -> Vec<(&str, u64)> {
        self.written.most_frequent()
    }

    /// The vocabulary of the learnt half.
    pub fn learnt(&self) -> &TokenCounts {
        &self.learnt
    }

    /// Of the probed rows, those whose drawn token is in the vocabulary `learnt`, and those whose is not.
    /// Only tokens of `level` are counted, which is to be the largest of all that are compared.
    pub fn drawn_in(&self, learnt: &TokenCounts, level: u32) -> [u64; 2] {
        let mut rows = [0; 2];
        for (hash, count) in self.drawn.at_level(level) {
            rows[usize::from(learnt.count(hash) == 0)] += count;
        }
        rows
    }

    /// One token of each row of the probed half that has any.
    pub fn drawn(&self) -> &TokenCounts {
        &self.drawn
    }

    /// Bytes on the heap, roughly, for memory accounting.
    pub fn heap_bytes(&self) -> usize {
        self.quantities.iter().map(QuantileSketch::heap_bytes).sum::<usize>()
            + self.learnt.heap_bytes()
            + self.probed.heap_bytes()
            + self.drawn.heap_bytes()
            + self.written.heap_bytes()
    }

    /// Makes the sketches as small as they get, once before they are stored.
    pub fn compact(&mut self) {
        self.quantities.iter_mut().for_each(QuantileSketch::compact);
    }
}

/// The quantities of one text, in the order of [`TextQuantity::ALL`].
fn quantities(text: &str, words: usize) -> [Option<f64>; 8] {
    let (mut characters, mut letters, mut digits, mut spaces, mut upper, mut others) = (0, 0, 0, 0, 0, 0_u64);
    for character in text.chars() {
        characters += 1;
        letters += u64::from(character.is_alphabetic());
        digits += u64::from(character.is_numeric());
        spaces += u64::from(character.is_whitespace());
        upper += u64::from(character.is_uppercase());
        others += u64::from(!character.is_ascii());
    }
    let symbols = characters - letters - digits - spaces;
    let share = |count: u64, of: u64| (of > 0).then(|| count as f64 / of as f64);
    [
        Some(characters as f64),
        Some(words as f64),
        share(letters, characters),
        share(digits, characters),
        share(symbols, characters),
        share(spaces, characters),
        share(upper.min(letters), letters),
        share(others, characters),
    ]
}

/// The tokens of one text.
#[derive(Debug, Default)]
struct Tokens {
    /// Hashes, in the order of the text.
    all: Vec<u64>,
    written: Vec<(u64, String)>,
}

impl Tokens {
    fn read(&mut self, text: &str) {
        self.all.clear();
        self.written.clear();
        for token in
            text.split(|character: char| !character.is_alphanumeric()).filter(|part| !part.is_empty())
        {
            let written: String = token.chars().take(TOKEN_CHARACTERS).flat_map(char::to_lowercase).collect();
            let hash = token_hash(&written);
            self.all.push(hash);
            self.written.push((hash, written));
        }
    }

    /// Each token once.
    fn different(&mut self) -> &[(u64, String)] {
        self.written.sort_unstable();
        self.written.dedup_by_key(|token| token.0);
        &self.written
    }
}

/// The hash of a token; it is stored, so it must be the same in every version of the program.
///
/// FNV-1a (Fowler, Noll & Vo), and a step of SplitMix64 so that every bit depends on every byte.
pub fn token_hash(token: &str) -> u64 {
    let mut hash: u64 = 0xCBF2_9CE4_8422_2325;
    for byte in token.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    mixed(hash)
}

/// 64 bits that each depend on all of `bits`.
pub(super) fn mixed(bits: u64) -> u64 {
    SplitMix64::new(bits).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::tokens::unseen_tokens;

    fn profile(texts: &[&str]) -> TextProfile {
        let mut profile = TextProfile::new(Fidelity::Exact);
        profile.extend(texts.iter().copied());
        profile
    }

    #[test]
    fn a_text_is_measured_by_its_characters_and_words() {
        let of = |text: &str| {
            let profile = profile(&[text]);
            profile.ecdfs().iter().map(|ecdf| ecdf.quantile(0.5)).collect::<Vec<_>>()
        };
        let tenth = |count: f64| Some(count / 10.0);
        assert_eq!(
            of("Éa b7! c?\t"),
            [Some(10.0), Some(3.0), tenth(4.0), tenth(1.0), tenth(2.0), tenth(3.0), Some(0.25), tenth(1.0)]
        );
        let mut nothing = vec![Some(0.0), Some(0.0)];
        nothing.resize(8, None);
        assert_eq!(of(""), nothing, "an empty text has a length and nothing else");
        assert_eq!(of("7")[6], None, "without letters there is no upper case");
    }

    #[test]
    fn tokens_are_runs_of_letters_and_digits_without_regard_to_case() {
        let long = "x".repeat(1_000);
        let of = profile(&["The THE the-end, don't", &long]);
        let written: Vec<&str> = of.written_tokens().into_iter().map(|(token, _)| token).collect();
        assert_eq!(written, ["don", "end", "t", "the", &long[..TOKEN_CHARACTERS]]);
        assert_eq!(of.tokens().count(token_hash("the")), 1, "once for the row");
    }

    #[test]
    fn the_profile_of_a_whole_is_the_merge_of_its_parts() {
        let texts: Vec<String> = (0..400).map(|row| format!("row {} of {}", row % 37, row % 5)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut merged = profile(&texts[..150]);
        merged.merge(&profile(&texts[150..]));
        let whole = profile(&texts);
        assert_eq!((merged.rows(), merged.ecdfs()), (400, whole.ecdfs()));
        assert_eq!((merged.learnt, merged.probed, merged.drawn), (whole.learnt, whole.probed, whole.drawn));
    }

    #[test]
    fn a_probed_row_draws_one_of_its_tokens_and_new_ones_are_not_in_the_vocabulary() {
        let texts =
            |word: &str| -> Vec<String> { (0..2_000).map(|row| format!("{word} {word} n{row}")).collect() };
        let of = |texts: &[String]| profile(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let (before, now) = (of(&texts("old")), of(&texts("new")));
        let [known, unknown] = now.drawn_in(before.learnt(), before.learnt().level());
        // Half of the rows are probed; every third token is a number, half of whose texts were learnt.
        assert!((900..1_100).contains(&(known + unknown)), "{known} {unknown}");
        assert!((0.75..0.9).contains(&(unknown as f64 / (known + unknown) as f64)), "{known} {unknown}");
        let unseen = unseen_tokens(before.tokens(), now.tokens()).unwrap();
        assert_eq!(unseen.share, 0.5, "`new` is one of the two different tokens of each row");
    }

    #[test]
    fn the_hash_of_a_token_stays_what_it_is_because_it_is_stored() {
        // FNV-1a of "a" as its authors publish it, before the last step.
        assert_eq!(token_hash("a"), mixed(0xAF63_DC4C_8601_EC8C));
    }
}
