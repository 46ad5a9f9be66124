//! Numbers as people read them, the same in the terminal, the report and the sentences.

/// A count with separators: `5,412`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `5,412 rows`.
pub fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { many })
}

/// A share as a percentage: `4.2 %`, `0.03 %`, `100 %`.
pub fn percent(share: f64) -> String {
    minus(&plain_percent(share))
}

fn plain_percent(share: f64) -> String {
    let value = share * 100.0;
    let magnitude = value.abs();
    if magnitude == 0.0 {
        "0 %".into()
    } else if (99.95..100.0).contains(&magnitude) {
        format!("> {}99.9 %", if value < 0.0 { "-" } else { "" })
    } else if magnitude >= 100.0 || (magnitude >= 10.0 && (value - value.round()).abs() < 0.05) {
        format!("{value:.0} %")
    } else if magnitude >= 0.1 {
        format!("{value:.1} %")
    } else if magnitude >= 0.01 {
        format!("{value:.2} %")
    } else {
        format!("{}0.01 %", if value < 0.0 { "> -" } else { "< " })
    }
}

/// A multiple: `2.31 ×`, `12.4 ×`.
pub fn times(value: f64) -> String {
    let magnitude = value.abs();
    let text = if magnitude >= 1000.0 {
        number(value)
    } else {
        minus(&if magnitude >= 10.0 { format!("{value:.1}") } else { format!("{value:.2}") })
    };
    format!("{text} ×")
}

/// A metric or distance: three decimals, more where they are needed to say anything.
pub fn number(value: f64) -> String {
    minus(&plain_number(value))
}

fn plain_number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        "0".into()
    } else if !(1e-4..1e6).contains(&magnitude) {
        format!("{value:.2e}")
    } else if magnitude >= 100.0 {
        trimmed(format!("{value:.1}"))
    } else if magnitude >= 0.01 {
        format!("{value:.3}")
    } else {
        format!("{value:.4}")
    }
}

/// An edge of a bin or a value of the data: as short as it can be at four significant digits.
pub fn value(value: f64) -> String {
    minus(&plain_value(value))
}

fn plain_value(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs();
    if !(1e-4..1e7).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    // Truncation cannot happen: the magnitude lies between 1e-4 and 1e7.
    let digits_before = magnitude.log10().floor();
    let decimals = if digits_before >= 3.0 { 0 } else { (3.0 - digits_before) as usize };
    trimmed(format!("{value:.decimals$}"))
}

/// A p-value: `0.03`, `< 0.001`.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }
}

/// The beginning of a sentence.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A hyphen in front of a number reads as a dash; typesetters use the minus sign.
fn minus(text: &str) -> String {
    match text.strip_prefix('-') {
        Some(rest) => format!("−{rest}"),
        None => text.replace("> -", "> −"),
    }
}

fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_what_matters() {
        for (given, expected) in
            [(0.0, "0"), (0.6312, "0.631"), (0.00123, "0.0012"), (123.456, "123.5"), (0.00001, "1.00e-5")]
        {
            assert_eq!(number(given), expected);
        }
        for (given, expected) in [
            (0.0421, "4.2 %"),
            (1.0, "100 %"),
            (0.9998, "> 99.9 %"),
            (0.0, "0 %"),
            (0.5, "50 %"),
            (0.00003, "< 0.01 %"),
            (-0.042, "−4.2 %"),
        ] {
            assert_eq!(percent(given), expected);
        }
        for (given, expected) in
            [(32.0, "32"), (1012.34, "1012"), (0.1, "0.1"), (5.754, "5.754"), (-17.5, "−17.5")]
        {
            assert_eq!(value(given), expected);
        }
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(p_value(0.0), "< 0.001");
    }
}
