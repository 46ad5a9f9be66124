//! Canonical JSON after RFC 8785: one writing for one value, in whatever language it is written.

use serde_json::{Number, Value};

/// The largest whole number up to which all are exact in a float: 2^53 − 1.
const WHOLE_MAX: u64 = 9_007_199_254_740_991;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{number}` is a whole number beyond ±{WHOLE_MAX}, which JSON holds exactly only as text: write it so"
)]
pub struct CanonicalError {
    pub number: String,
}

/// The canonical text of a value.
///
/// # Errors
/// A whole number that a float does not hold exactly.
pub fn text(value: &Value) -> Result<String, CanonicalError> {
    let mut text = String::new();
    write(value, &mut text)?;
    Ok(text)
}

fn write(value: &Value, into: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => into.push_str(&value.to_string()),
        Value::Number(of) => into.push_str(&number(of)?),
        Value::Array(values) => {
            into.push('[');
            for (at, value) in values.iter().enumerate() {
                into.push_str(if at == 0 { "" } else { "," });
                write(value, into)?;
            }
            into.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            into.push('{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                into.push_str(if at == 0 { "" } else { "," });
                into.push_str(&Value::from(name.as_str()).to_string());
                into.push(':');
                write(value, into)?;
            }
            into.push('}');
        }
    }
    Ok(())
}

fn number(number: &Number) -> Result<String, CanonicalError> {
    let whole = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    match (whole, number.as_f64()) {
        (Some(size), _) if size > WHOLE_MAX => Err(CanonicalError { number: number.to_string() }),
        (Some(_), _) | (None, None) => Ok(number.to_string()),
        (None, Some(float)) => Ok(ecmascript(float)),
    }
}

/// A float as ECMAScript's `Number::toString` writes it: the shortest digits that give it back, without an exponent
/// from 1e-6 up to 1e21.
fn ecmascript(float: f64) -> String {
    if float == 0.0 {
        return "0".into();
    }
    // The digits are serde_json's: of two shortest ones that are equally near, the even one, as ECMAScript has it.
    let written = Value::from(float.abs()).to_string();
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let exponent: i32 = exponent.parse().expect("an exponent is written in decimal");
    // The number is 0.DIGITS × 10^point.
    let point = whole.len() as i32 - (all.len() - significant.len()) as i32 + exponent;
    let digits = significant.trim_end_matches('0');
    let count = digits.len() as i32;
    let text = match point {
        _ if count <= point && point <= 21 => format!("{digits}{}", "0".repeat((point - count) as usize)),
        1..=21 => format!("{}.{}", &digits[..point as usize], &digits[point as usize..]),
        -5..=0 => format!("0.{}{digits}", "0".repeat(-point as usize)),
        _ => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{first}{dot}{rest}e{:+}", point - 1)
        }
    };
    if float < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_those_of_rfc_8785_appendix_b() {
        let published = [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ];
        for (bits, expected) in published {
            assert_eq!(ecmascript(f64::from_bits(bits)), expected, "{bits:x}");
        }
    }

    #[test]
    fn members_are_in_the_order_of_rfc_8785_section_3_2_3() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let expected = "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
                        \"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\"\u{20ac}\":\"Euro Sign\",\
                        \"\u{1f600}\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}";
        assert_eq!(text(&value).unwrap(), expected);
    }

    #[test]
    fn whole_numbers_that_no_float_holds_are_refused() {
        assert_eq!(
            text(&json!([1.0, -1.5, 9_007_199_254_740_991_u64])).unwrap(),
            "[1,-1.5,9007199254740991]"
        );
        assert!(text(&json!([9_007_199_254_740_992_u64])).is_err());
        assert!(text(&json!(-9_007_199_254_740_992_i64)).is_err());
    }
}
