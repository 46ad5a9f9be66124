//! Drift of a column of free text: lengths, kinds of characters, and the words that are used.

use stats::ecdf::Ecdf;
use stats::interval::Level;
use stats::kolmogorov_smirnov::kolmogorov_smirnov;
use stats::proportion::wilson_interval;
use stats::sketch::TextProfile;
use stats::sketch::text::token_hash;
use stats::sketch::tokens::unseen_tokens;
use types::Measure;
use types::finding::Unmeasured;
use types::format;
use types::nearest::listed;

use super::alarm::Binned;
use super::binned::{Bins, psi};
use super::{Assessment, Effect, numeric};

/// A token is named only where at least as many rows of the window have it: a name or an address that
/// somebody wrote stands on fewer.
const ROWS_NAMED_LEAST: u64 = 10;
/// Tokens that the sentence names.
const TOKENS_NAMED: usize = 3;

/// A number that every text has: its stream, its measure, and how people call it.
struct Quantity {
    stream: &'static [&'static str],
    measure: &'static str,
    /// `fewer letters: …`.
    less: &'static str,
    more: &'static str,
    /// What the median is of.
    unit: &'static str,
}

const fn quantity(
    stream: &'static [&'static str],
    measure: &'static str,
    less: &'static str,
    more: &'static str,
    unit: &'static str,
) -> Quantity {
    Quantity { stream, measure, less, more, unit }
}

const OF_CHARACTERS: &str = "of the characters";

/// In the order of [`stats::sketch::text::TextQuantity::ALL`].
const QUANTITIES: [Quantity; 8] = [
    quantity(&["characters"], "psi_of_characters", "shorter texts", "longer texts", "characters"),
    quantity(&["words"], "psi_of_words", "fewer words", "more words", "words"),
    quantity(&["letters"], "psi_of_letters", "fewer letters", "more letters", OF_CHARACTERS),
    quantity(&["digits"], "psi_of_digits", "fewer digits", "more digits", OF_CHARACTERS),
    quantity(
        &["symbols"],
        "psi_of_symbols",
        "less punctuation and symbols",
        "more punctuation and symbols",
        OF_CHARACTERS,
    ),
    quantity(&["whitespace"], "psi_of_whitespace", "less white space", "more white space", OF_CHARACTERS),
    quantity(&["upper_case"], "psi_of_upper_case", "less upper case", "more upper case", "of the letters"),
    quantity(
        &["non_ascii"],
        "psi_of_non_ascii",
        "fewer characters outside ASCII",
        "more characters outside ASCII",
        OF_CHARACTERS,
    ),
];

/// The stream of one token of each row, and that of whether it is new.
const TOKENS: &str = "tokens";
pub(super) const NEW_TOKENS: &str = "new_tokens";
const TOKENS_MEASURE: &str = "psi_of_tokens";

/// The sizes of all ways in which texts can differ, and the tests of them.
pub(super) fn effects(before: (&TextProfile, &[Ecdf]), now: (&TextProfile, &[Ecdf])) -> Vec<Effect> {
    let quantities = QUANTITIES.iter().zip(before.1.iter().zip(now.1));
    let quantities = quantities.filter_map(|(of, (before, now))| {
        let psi_excess = numeric::psi_excess_of(before, now)?;
        Some(Effect::psi(of.measure, of.stream, psi_excess))
    });
    let tokens = Binned::tokens(before.0, now.0);
    let excess = super::binned::psi_excess(&tokens.reference, &tokens.current);
    let tokens = excess.map(|excess| Effect::psi(TOKENS_MEASURE, &[TOKENS], excess));
    quantities.chain(tokens).collect()
}

pub(super) fn streams(
    before: (&TextProfile, &[Ecdf]),
    now: (&TextProfile, &[Ecdf]),
) -> Vec<(&'static str, Binned)> {
    let quantities = QUANTITIES.iter().zip(before.1.iter().zip(now.1));
    let quantities = quantities.filter_map(|(of, (before, now))| {
        Some((of.stream[0], Binned::numbers(&numeric::bins(before)?, before, now)))
    });
    let tokens =
        [(TOKENS, Binned::tokens(before.0, now.0)), (NEW_TOKENS, Binned::new_tokens(before.0, now.0))];
    quantities.chain(tokens).collect()
}

pub(super) fn assess(before: (&TextProfile, &[Ecdf]), now: (&TextProfile, &[Ecdf])) -> Assessment {
    let (lengths_before, lengths_now) = (&before.1[0], &now.1[0]);
    let mut assessment = Assessment {
        unseen_stream: NEW_TOKENS,
        ..numeric::blank(lengths_before, lengths_now, Some("characters"))
    };
    if before.0.present() == 0 || now.0.present() == 0 {
        let which = if before.0.present() == 0 { "reference" } else { "current window" };
        let reason = format!("the {which} has no text");
        assessment.unmeasured.push(Unmeasured { name: "psi".into(), reason });
        return assessment;
    }
    let mut smallest_p: f64 = 1.0;
    for (of, (before, now)) in QUANTITIES.iter().zip(before.1.iter().zip(now.1)) {
        if let Some(measure) = quantity_measure(of, before, now) {
            smallest_p = smallest_p.min(measure.p_value.unwrap_or(1.0));
            assessment.measures.push(measure);
        }
    }
    assessment.distribution_p = Some((smallest_p * QUANTITIES.len() as f64).min(1.0));
    assessment.measures.extend(token_measure(before.0, now.0));
    measure_unseen(&mut assessment, before.0, now.0);
    assessment
}

fn quantity_measure(of: &Quantity, before: &Ecdf, now: &Ecdf) -> Option<Measure> {
    let bins = numeric::bins(before)?;
    let (reference, current) = (bins.counts(before), bins.counts(now));
    let over = format!(
        "of {} per text, {} bins at quantiles of the reference",
        of.stream[0].replace('_', " "),
        bins.len()
    );
    let share_error = numeric::share_error(before, now);
    let measure = psi(Bins { reference: &reference, current: &current, over: &over, share_error })?;
    let tested = kolmogorov_smirnov(before, now).ok();
    Some(Measure {
        name: of.measure.into(),
        method: format!("{}; p of a Kolmogorov–Smirnov test", measure.method),
        p_value: tested.map(|test| test.p_value),
        ..measure
    })
}

fn token_measure(before: &TextProfile, now: &TextProfile) -> Option<Measure> {
    let binned = Binned::tokens(before, now);
    let over = "of one token of every other text, 64 bins by hash";
    let bins = Bins { reference: &binned.reference, current: &binned.current, over, share_error: 0.0 };
    Some(Measure { name: TOKENS_MEASURE.into(), ..psi(bins)? })
}

fn measure_unseen(assessment: &mut Assessment, before: &TextProfile, now: &TextProfile) {
    let Some(unseen) = unseen_tokens(before.tokens(), now.tokens()) else {
        let reason = "a side has no word".into();
        assessment.unmeasured.push(Unmeasured { name: "unseen_token_share".into(), reason });
        return;
    };
    assessment.unseen_excess = (unseen.share - unseen.by_chance).max(0.0);
    let looked_at = match unseen.level {
        0 => String::new(),
        level => {
            let one_in = format::count(1 << level.min(62));
            assessment.notes.push(format!(
                "It has more different tokens than are kept, so what is new among them is estimated from one in {one_in}."
            ));
            format!(", estimated from one token in {one_in}")
        }
    };
    // The tokens of one text belong together, so the interval takes a text for one draw.
    let rows = now.present();
    let interval = wilson_interval((unseen.share * rows as f64).round() as u64, rows, Level::P95).ok();
    assessment.measures.push(Measure {
        interval,
        expected_by_chance: Some(unseen.by_chance),
        ..Measure::new(
            "unseen_token_share",
            unseen.share,
            rows,
            format!(
                "share of tokens, each counted once in a text, that no text of the reference has ({} tokens{looked_at}); by chance: Good–Turing",
                format::count(unseen.different.round() as u64)
            ),
        )
    });
    assessment.unseen = format!(
        "{} of its tokens were never seen in the reference, where chance alone brings {}{}.",
        format::percent(unseen.share),
        format::percent(unseen.by_chance),
        examples(before, now)
    );
}

/// `, such as `refund` (31 rows)`; nothing where no new token is frequent.
fn examples(before: &TextProfile, now: &TextProfile) -> String {
    let (known, tokens) = (before.tokens(), now.tokens());
    let frequent = now.written_tokens().into_iter().filter_map(|(written, about)| {
        let hash = token_hash(written);
        let rows = tokens.count(hash).max(about);
        let is_new = known.knows(hash) && known.count(hash) == 0;
        (is_new && rows >= ROWS_NAMED_LEAST).then(|| format!("`{written}` ({} rows)", format::count(rows)))
    });
    let named: Vec<String> = frequent.take(TOKENS_NAMED).collect();
    if named.is_empty() {
        return String::new();
    }
    format!(", such as {}", listed(named.iter().map(String::as_str), TOKENS_NAMED))
}

/// What changed most, in words; `of` are the names of the measures.
pub(super) fn change_in_words<'a>(
    of: impl Iterator<Item = &'a str>,
    before: &[Ecdf],
    now: &[Ecdf],
) -> String {
    of.map(|of| one_in_words(of, before, now)).collect::<Vec<_>>().join("; ")
}

fn one_in_words(of: &str, before: &[Ecdf], now: &[Ecdf]) -> String {
    let position = QUANTITIES.iter().position(|quantity| quantity.measure == of);
    let Some(at) = position else {
        return "other words than before".into();
    };
    let of = &QUANTITIES[at];
    let (Some(old), Some(new)) = (before[at].quantile(0.5), now[at].quantile(0.5)) else {
        return format!("{} that cannot be compared", of.unit);
    };
    let text = |value: f64| if at < 2 { format::value(value) } else { format::percent(value) };
    let spread = |ecdf: &Ecdf| Some((text(ecdf.quantile(0.1)?), text(ecdf.quantile(0.9)?)));
    if old == new
        && let (Some((low, high)), Some((old_low, old_high))) = (spread(&now[at]), spread(&before[at]))
    {
        return format!(
            "{}: the same median ({}), but the middle 80 % now lie between {low} and {high} (before {old_low} and {old_high})",
            of.stream[0].replace('_', " "),
            text(new),
        );
    }
    let direction = if new > old { of.more } else { of.less };
    format!("{direction}: the median is {} {}, it was {}", text(new), of.unit, text(old))
}
