//! Lists, part by part: `limit` and `cursor` in, `items` and `next` out.
//!
//! A cursor is a number that means something only to the list that gave it: the position of the next item, or
//! the number of a record or a job. Lists of what is only ever added to go on from such a number, so that
//! nothing is met twice or missed while others write.

use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::api::BASE;
use crate::reply::Reply;

/// Items of a part where nothing is said.
const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 500;
/// More digits than any list is long; below 2^53, so that every program can hold it.
const CURSOR_MAX: u64 = 999_999_999_999_999;

/// How many items to give at most.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Limit(u32);

/// Where to go on.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Cursor(u64);

/// A part of a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Items")]
pub(crate) struct Items<T> {
    items: Vec<T>,
    /// What to give as `cursor` for the next part; left out at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The query of a list that nothing else is asked of.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartQuery {
    /// How many items to give at most.
    #[serde(default)]
    pub(crate) limit: Limit,
    /// Where to go on: the `next` of the part before.
    #[serde(default)]
    pub(crate) cursor: Cursor,
}

/// A part of a list, as a response with a link to the next.
#[derive(Debug)]
pub(crate) struct Part<T> {
    items: Items<T>,
    link: Option<HeaderValue>,
}

impl Limit {
    pub(crate) fn get(self) -> usize {
        self.0 as usize
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(LIMIT_DEFAULT)
    }
}

impl TryFrom<u32> for Limit {
    type Error = String;

    fn try_from(limit: u32) -> Result<Self, String> {
        match limit {
            1..=LIMIT_MAX => Ok(Self(limit)),
            _ => Err(format!("`limit` is from 1 to {LIMIT_MAX}")),
        }
    }
}

impl Cursor {
    /// The number, where the list goes on from one; none at its beginning.
    pub(crate) fn position(self) -> Option<u64> {
        (self.0 > 0).then_some(self.0)
    }
}

impl TryFrom<String> for Cursor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if is_number { text.parse().ok() } else { None };
        match number {
            Some(number) if number <= CURSOR_MAX && text.len() <= 15 => Ok(Self(number)),
            _ => Err("`cursor` is what the part before gave as `next`".into()),
        }
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT })
    }
}

impl JsonSchema for Cursor {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cursor".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]{1,15}$" })
    }
}

impl<T> Part<T> {
    /// Items up to where the next part begins.
    pub(crate) fn until(uri: &Uri, items: Vec<T>, next: Option<u64>) -> Self {
        let link = next.and_then(|next| HeaderValue::try_from(link(uri, next)).ok());
        Self { items: Items { items, next: next.map(|next| next.to_string()) }, link }
    }

    /// The part of a whole list that is asked for.
    pub(crate) fn of(uri: &Uri, all: Vec<T>, limit: Limit, cursor: Cursor) -> Self {
        let (first, count) = (cursor.0 as usize, all.len());
        let items = all.into_iter().skip(first).take(limit.get()).collect();
        let end = first.saturating_add(limit.get());
        Self::until(uri, items, (end < count).then_some(end as u64))
    }
}

/// The address of the next part (RFC 8288).
fn link(uri: &Uri, next: u64) -> String {
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let kept = query.filter(|(name, _)| name != "cursor");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair("cursor", &next.to_string());
    format!("<{BASE}{}?{}>; rel=\"next\"", uri.path(), query.finish())
}

impl<T: Serialize> IntoResponse for Part<T> {
    fn into_response(self) -> Response {
        let mut response = Reply(self.items).into_response();
        if let Some(link) = self.link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(limit: u32, cursor: u64) -> Part<u32> {
        let uri = format!("/systems?q=a%20b&limit={limit}&cursor={cursor}").parse().unwrap();
        Part::of(&uri, vec![10, 11, 12, 13, 14], Limit(limit), Cursor(cursor))
    }

    #[test]
    fn parts_follow_each_other_without_a_gap_and_the_last_has_no_next() {
        for (cursor, items, next) in [
            (0, vec![10, 11], Some("2")),
            (2, vec![12, 13], Some("4")),
            (4, vec![14], None),
            (9, vec![], None),
        ] {
            let part = part(2, cursor);
            assert_eq!((part.items.items, part.items.next.as_deref()), (items, next), "from {cursor}");
        }
        assert_eq!(part(5, 0).items.next, None, "a list that ends with its part");
    }

    #[test]
    fn the_link_to_the_next_part_keeps_what_else_was_asked() {
        let link = part(2, 2).link.unwrap();
        assert_eq!(link, "</api/v1/systems?q=a+b&limit=2&cursor=4>; rel=\"next\"");
        assert_eq!(part(2, 4).link, None);
    }

    #[test]
    fn a_cursor_is_what_was_given_and_nothing_else() {
        for (text, is_good) in [
            ("0", true),
            ("17", true),
            ("999999999999999", true),
            ("9999999999999999", false),
            ("", false),
            ("-1", false),
            ("+1", false),
            ("1x", false),
        ] {
            assert_eq!(Cursor::try_from(text.to_owned()).is_ok(), is_good, "{text:?}");
        }
    }
}
