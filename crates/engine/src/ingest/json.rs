//! A strict reader of JSON (RFC 8259) that walks over bytes and hands out values where they lie.
//!
//! serde_json is not used here for two reasons. Its floats are off by a bit in some last places unless
//! `float_roundtrip` is on, which would build DataFusion a second time; and a row that turns out wrong in its
//! middle must be left at once, with the place known from which the next row is read. The tests hold this reader
//! against serde_json: both take the same texts, with the same values.

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end within a value.
    Incomplete,
    /// What is wrong.
    Invalid(&'static str),
}

/// Arrays and objects in each other, at most.
const DEPTH: usize = 64;

/// A position in JSON text.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether a value may go on in the next line.
    lines: bool,
}

/// A value that holds no other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Int(i64),
    /// Also integers of more than 64 bits.
    Float(f64),
}

/// What kind of value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8], lines: bool) -> Self {
        Self { bytes, at: 0, lines }
    }

    /// How far it has come.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    #[inline]
    fn peek(&self) -> Result<u8, Stop> {
        self.bytes.get(self.at).copied().ok_or(Stop::Incomplete)
    }

    /// The next byte that is not white space.
    #[inline]
    pub(super) fn peek_token(&mut self) -> Result<u8, Stop> {
        loop {
            match self.peek()? {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' if self.lines => self.at += 1,
                b'\n' => {
                    return Err(Stop::Invalid("the line ends within an object; write one object a line"));
                }
                byte => return Ok(byte),
            }
        }
    }

    /// Steps over one byte of punctuation, if it is the next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Result<bool, Stop> {
        let found = self.peek_token()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    pub(super) fn expect(&mut self, byte: u8, otherwise: &'static str) -> Result<(), Stop> {
        if self.take(byte)? { Ok(()) } else { Err(Stop::Invalid(otherwise)) }
    }

    #[inline]
    pub(super) fn next(&mut self) -> Result<Next, Stop> {
        match self.peek_token()? {
            b'"' => Ok(Next::Text),
            b'-' | b'0'..=b'9' => Ok(Next::Number),
            b'n' => Ok(Next::Null),
            b't' | b'f' => Ok(Next::Bool),
            b'[' => Ok(Next::Array),
            b'{' => Ok(Next::Object),
            b'N' | b'I' => Err(Stop::Invalid("NaN and Infinity are not JSON; send null")),
            _ => Err(Stop::Invalid("there is no value where one is expected")),
        }
    }

    pub(super) fn null(&mut self) -> Result<(), Stop> {
        self.word(b"null")
    }

    pub(super) fn bool(&mut self) -> Result<bool, Stop> {
        let value = self.peek()? == b't';
        self.word(if value { b"true" } else { b"false" })?;
        Ok(value)
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), Stop> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(())
        } else if word.starts_with(rest) {
            Err(Stop::Incomplete)
        } else {
            Err(Stop::Invalid("only true, false and null are words of JSON; put text in quotes"))
        }
    }

    /// A number; it is complete only where another byte follows.
    #[inline]
    pub(super) fn number(&mut self) -> Result<Number, Stop> {
        const BAD: Stop = Stop::Invalid("a number is not written as JSON has it");
        let start = self.at;
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let (mut mantissa, mut digits) = (0_u64, 0_usize);
        let first = self.at;
        while let byte @ b'0'..=b'9' = self.peek()? {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            digits += 1;
            self.at += 1;
        }
        if digits == 0 || (digits > 1 && self.bytes[first] == b'0') {
            return Err(BAD);
        }
        let mut exponent = 0_i32;
        let mut is_integer = true;
        if self.peek()? == b'.' {
            is_integer = false;
            self.at += 1;
            let first = self.at;
            while let byte @ b'0'..=b'9' = self.peek()? {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                self.at += 1;
            }
            let decimals = self.at - first;
            if decimals == 0 {
                return Err(BAD);
            }
            digits += decimals;
            exponent = -i32::try_from(decimals).unwrap_or(i32::MAX);
        }
        if matches!(self.peek()?, b'e' | b'E') {
            is_integer = false;
            self.at += 1;
            self.at += usize::from(matches!(self.peek()?, b'+' | b'-'));
            let first = self.at;
            while self.peek()?.is_ascii_digit() {
                self.at += 1;
            }
            if self.at == first {
                return Err(BAD);
            }
            // The short way below is for plain decimals.
            digits = usize::MAX;
        }
        if is_integer && digits <= 18 {
            let value = mantissa as i64;
            return Ok(Number::Int(if negative { -value } else { value }));
        }
        if digits <= 19 && mantissa <= MOST_EXACT && exponent >= -22 {
            // Both are exact, so that one division rounds once, and correctly (W. D. Clinger, "How to read
            // floating point numbers accurately", PLDI 1990).
            let value = mantissa as f64 / POWERS_OF_TEN[exponent.unsigned_abs() as usize];
            return Ok(Number::Float(if negative { -value } else { value }));
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).map_err(|_| BAD)?;
        if is_integer && let Ok(value) = text.parse() {
            return Ok(Number::Int(value));
        }
        text.parse().map(Number::Float).map_err(|_| BAD)
    }

    /// A text; `scratch` holds it where it is written with escapes.
    #[inline]
    pub(super) fn text<'s>(&mut self, scratch: &'s mut String) -> Result<&'s str, Stop>
    where
        'a: 's,
    {
        self.at += 1;
        let start = self.at;
        let rest = &self.bytes[start..];
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) else {
            return Err(Stop::Incomplete);
        };
        if rest[end] == b'"' {
            self.at += end + 1;
            return std::str::from_utf8(&rest[..end]).map_err(|_| Stop::Invalid(NOT_UTF_8));
        }
        self.text_with_escapes(scratch)?;
        Ok(scratch)
    }

    #[cold]
    fn text_with_escapes(&mut self, text: &mut String) -> Result<(), Stop> {
        text.clear();
        loop {
            let rest = &self.bytes[self.at..];
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let plain = plain.ok_or(Stop::Incomplete)?;
            text.push_str(std::str::from_utf8(&rest[..plain]).map_err(|_| Stop::Invalid(NOT_UTF_8))?);
            self.at += plain + 1;
            match rest[plain] {
                b'"' => return Ok(()),
                b'\\' => text.push(self.escape()?),
                _ => {
                    self.at -= 1;
                    return Err(Stop::Invalid(
                        "a text holds a control character, or its closing quote is missing",
                    ));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Stop> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return Err(Stop::Invalid("a backslash is followed by what JSON does not know")),
        })
    }

    fn code_point(&mut self) -> Result<char, Stop> {
        const LONE: Stop = Stop::Invalid("half of a surrogate pair stands alone in a text");
        let first = self.hexadecimal()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).ok_or(LONE);
        }
        for byte in *b"\\u" {
            if self.peek()? != byte {
                return Err(LONE);
            }
            self.at += 1;
        }
        let second = self.hexadecimal()?;
        if first >= 0xDC00 || !(0xDC00..0xE000).contains(&second) {
            return Err(LONE);
        }
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(LONE)
    }

    fn hexadecimal(&mut self) -> Result<u32, Stop> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16);
            value = value * 16 + digit.ok_or(Stop::Invalid("\\u needs four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(value)
    }

    /// Steps over a value, whatever it holds.
    pub(super) fn skip(&mut self, scratch: &mut String) -> Result<(), Stop> {
        self.skip_within(scratch, 0)
    }

    fn skip_within(&mut self, scratch: &mut String, depth: usize) -> Result<(), Stop> {
        if depth > DEPTH {
            return Err(Stop::Invalid("objects and arrays lie too deep in each other"));
        }
        match self.next()? {
            Next::Null => self.null(),
            Next::Bool => self.bool().map(drop),
            Next::Number => self.number().map(drop),
            Next::Text => self.text(scratch).map(drop),
            Next::Array => {
                self.at += 1;
                if self.take(b']')? {
                    return Ok(());
                }
                loop {
                    self.skip_within(scratch, depth + 1)?;
                    if self.take(b']')? {
                        return Ok(());
                    }
                    self.expect(b',', COMMA_IN_ARRAY)?;
                }
            }
            Next::Object => {
                self.at += 1;
                if self.take(b'}')? {
                    return Ok(());
                }
                loop {
                    self.key(scratch)?;
                    self.skip_within(scratch, depth + 1)?;
                    if self.take(b'}')? {
                        return Ok(());
                    }
                    self.expect(b',', COMMA_IN_OBJECT)?;
                }
            }
        }
    }

    /// The name of a member of an object, and the colon after it.
    #[inline]
    pub(super) fn key<'s>(&mut self, scratch: &'s mut String) -> Result<&'s str, Stop>
    where
        'a: 's,
    {
        if self.peek_token()? != b'"' {
            return Err(Stop::Invalid("a name in quotes is expected in an object"));
        }
        let key = self.text(scratch)?;
        self.expect(b':', "a colon is missing after a name")?;
        Ok(key)
    }
}

pub(super) const COMMA_IN_ARRAY: &str = "a comma or the closing bracket of an array is missing";
pub(super) const COMMA_IN_OBJECT: &str = "a comma or the closing brace of an object is missing";
const NOT_UTF_8: &str = "a text is not UTF-8";

/// The largest integer below which all are floats: 2^53.
const MOST_EXACT: u64 = 1 << 53;

const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A text as serde_json has it, or nothing where it is not JSON.
    fn read(text: &str) -> Result<serde_json::Value, Stop> {
        let padded = format!("{text} ");
        let mut scanner = Scanner::new(padded.as_bytes(), true);
        let value = value(&mut scanner)?;
        match scanner.peek_token() {
            Err(Stop::Incomplete) => Ok(value),
            _ => Err(Stop::Invalid("more")),
        }
    }

    fn value(scanner: &mut Scanner<'_>) -> Result<serde_json::Value, Stop> {
        let mut scratch = String::new();
        Ok(match scanner.next()? {
            Next::Null => scanner.null().map(|()| serde_json::Value::Null)?,
            Next::Bool => scanner.bool()?.into(),
            Next::Number => match scanner.number()? {
                Number::Int(value) => value.into(),
                Number::Float(value) => value.into(),
            },
            Next::Text => scanner.text(&mut scratch)?.into(),
            Next::Array => {
                let mut items = Vec::new();
                scanner.expect(b'[', "")?;
                if scanner.take(b']')? {
                    return Ok(items.into());
                }
                loop {
                    items.push(value(scanner)?);
                    if scanner.take(b']')? {
                        return Ok(items.into());
                    }
                    scanner.expect(b',', "")?;
                }
            }
            Next::Object => {
                let mut members = serde_json::Map::new();
                scanner.expect(b'{', "")?;
                if scanner.take(b'}')? {
                    return Ok(members.into());
                }
                loop {
                    let key = scanner.key(&mut scratch)?.to_owned();
                    members.insert(key, value(scanner)?);
                    if scanner.take(b'}')? {
                        return Ok(members.into());
                    }
                    scanner.expect(b',', "")?;
                }
            }
        })
    }

    #[test]
    fn the_texts_that_are_taken_are_those_that_serde_json_takes() {
        let texts = [
            "0",
            "-0.0",
            "01",
            "1.",
            ".5",
            "-",
            "+1",
            "1e5",
            "1E+5",
            "1e",
            "1e-400",
            "9223372036854775807",
            "-9223372036854775808",
            "1.7976931348623157e308",
            "123456789012345678.5",
            "NaN",
            "Infinity",
            "nul",
            "true",
            "tru",
            "falsey",
            "\"\"",
            "\"a",
            "\"\\u00e9\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"tab\there\"",
            "\"é😀\"",
            "[]",
            "[1,]",
            "[1 2]",
            "[,]",
            "{}",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "{\"a\":}",
            "{\"\\u0061\":[{\"b\":null}]}",
            "",
            " ",
            "1 2",
            "[[[]]",
            "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
            "'a'",
            "// c",
            "{\"a\":1}}",
        ];
        for text in texts {
            let peer = serde_json::from_str::<serde_json::Value>(text).ok();
            let ours = read(text).ok();
            assert_eq!(ours, peer, "{text}");
        }
    }

    #[test]
    fn values_deep_in_each_other_are_not_walked_into_forever() {
        let deep = "[".repeat(100_000);
        let mut scanner = Scanner::new(deep.as_bytes(), true);
        assert!(matches!(scanner.skip(&mut String::new()), Err(Stop::Invalid(_))));
    }

    #[test]
    fn a_number_too_large_for_a_float_is_infinite_and_one_for_an_integer_a_float() {
        assert_eq!(read("9223372036854775808").unwrap(), serde_json::json!(9_223_372_036_854_775_808.0));
        let mut scanner = Scanner::new(b"1e999 ", true);
        assert_eq!(scanner.number(), Ok(Number::Float(f64::INFINITY)));
    }

    fn number(text: &str) -> Result<Number, Stop> {
        Scanner::new(format!("{text} ").as_bytes(), true).number()
    }

    proptest! {
        #[test]
        fn every_float_is_read_as_it_was_written(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            for text in [format!("{value:?}"), format!("{value:e}"), format!("{value:.3}")] {
                let expected: f64 = text.parse().unwrap();
                match number(&text).unwrap() {
                    Number::Float(read) => prop_assert_eq!(read.to_bits(), expected.to_bits(), "{}", text),
                    Number::Int(read) => prop_assert_eq!(read as f64, expected, "{}", text),
                }
            }
        }

        #[test]
        fn short_decimals_are_rounded_as_the_standard_library_rounds(digits in 0_u64..10_000_000_000_000_000_000, point in 0_usize..18) {
            let digits = format!("{digits:020}");
            let (whole, decimals) = digits.split_at(20 - point.max(1));
            let text = format!("{}.{decimals}", whole.trim_start_matches('0').chars().next().map_or("0", |_| whole.trim_start_matches('0')));
            let expected: f64 = text.parse().unwrap();
            prop_assert_eq!(number(&text), Ok(Number::Float(expected)), "{}", text);
        }

        #[test]
        fn what_is_cut_off_is_incomplete_and_nothing_panics(text in "[\\[\\]{}:,\"\\\\a0-9.eE+\\- \n]{0,40}") {
            let mut scanner = Scanner::new(text.as_bytes(), true);
            let whole = scanner.skip(&mut String::new());
            if whole.is_ok() {
                let peer = serde_json::from_str::<serde_json::Value>(&text[..scanner.at()]);
                prop_assert!(peer.is_ok(), "{}", text);
                // A shorter text is not taken for a whole one, but where it is one: `12` of `123`.
                let cut = &text[..scanner.at() - 1];
                let mut shorter = Scanner::new(cut.as_bytes(), true);
                prop_assert!(shorter.skip(&mut String::new()).is_err(), "{}", text);
            }
        }
    }
}
