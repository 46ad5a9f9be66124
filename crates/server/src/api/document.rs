//! The OpenAPI document: what routes say of themselves, and what holds of all of them.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use super::schema;
use crate::problem::{PROBLEM_JSON, ProblemDetails};
use crate::reply::Reply;

/// Of this description of the API, not of the program.
pub(super) const API_VERSION: &str = "1.0";

const INTRODUCTION: &str = "What the pages of a Forewarn server show and do, for programs. \
    Refusals and failures are problem details (RFC 9457); a method that a path does not know is answered by 405 \
    with `Allow`, a path that is not there by 404. Lists come in parts: `next` of one is the `cursor` of the \
    following. Everything that is read carries an `ETag`; with it in `If-None-Match`, what has not changed is \
    answered by 304. A field or a parameter that is not known is refused.";

/// The document as it is served and printed.
pub(crate) static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let (_, api) = super::routes().split_for_parts();
    let text = serde_json::to_string_pretty(&document(api)).unwrap_or_default();
    text + "\n"
});

/// What the routes say, finished.
fn document(mut api: OpenApi) -> Value {
    type Problem = Reply<ProblemDetails>;
    let schemas = &mut api.components.get_or_insert_default().schemas;
    let (name, problem) =
        (<Problem as utoipa::ToSchema>::name(), <Problem as utoipa::PartialSchema>::schema());
    schemas.insert(name.into(), problem);
    let mut document = serde_json::to_value(&api).unwrap_or_default();
    schema::put_in(&mut document);
    document["info"] = json!({
        "title": "Forewarn",
        "version": API_VERSION,
        "description": INTRODUCTION,
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    document["servers"] = json!([{ "url": super::BASE }]);
    document["security"] = json!([{ "token": [] }, { "session": [] }]);
    document["tags"] = tags();
    document["components"]["securitySchemes"] = json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token from the settings, `Authorization: Bearer fw_…`. It may what its scopes allow, \
                            and no more than the account that it belongs to.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "forewarn",
            "description": "The session of a page (`__Host-forewarn` over HTTPS). What changes something needs the \
                            header `X-CSRF-Token` with the value that the page put into its forms.",
        },
    });
    document["components"]["responses"] = refusals();
    document["components"]["headers"] = headers();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete(path, method, operation);
        }
    }
    document
}

fn tags() -> Value {
    let tag = |name: &str, description: &str| json!({ "name": name, "description": description });
    json!([
        tag("systems", "Systems, their newest findings, their gates and their definitions."),
        tag("evidence", "The chain of records: read, added to, verified, exported."),
        tag(
            "ingestion",
            "Predictions and outcomes from whoever makes them; docs/ingestion.md has what is promised."
        ),
        tag("alerts", "Alerts, who takes them on, and silences."),
        tag("jobs", "What runs, what is next, what ran."),
        tag("channels", "Where messages go."),
        tag("access", "Who calls; accounts, tokens, and the audit log."),
        tag("about", "The server itself."),
    ])
}

/// The statuses of refusals and failures, each with the name of its description.
const REFUSALS: [(u16, &str, &str); 8] = [
    (400, "BadRequest", "The path, the query or the body cannot be read."),
    (401, "Unauthorized", "Nobody is behind the request: no token, no session, or one that is not good."),
    (
        403,
        "Forbidden",
        "The role, the token's scopes or the place that the request comes from do not allow it.",
    ),
    (404, "NotFound", "It is not there, or beyond the systems that the caller may see."),
    (408, "RequestTimeout", "The body came too slowly."),
    (413, "ContentTooLarge", "The body is larger than the server takes."),
    (415, "UnsupportedMediaType", "The body is sent as something else than what is taken here."),
    (422, "UnprocessableContent", "The body can be read, and something in it cannot be done."),
];

/// What may happen to every request.
const FAILURES: [(u16, &str, &str); 2] = [
    (500, "InternalServerError", "The server failed; its log says why."),
    (503, "ServiceUnavailable", "The database does not answer now; `Retry-After` says when to try again."),
];

fn refusals() -> Value {
    let response = |(status, name, description): &(u16, &str, &str)| {
        let mut response = json!({ "description": description, "content": problem() });
        match status {
            401 => response["headers"] = json!({ "WWW-Authenticate": header_ref("Challenge") }),
            503 => response["headers"] = json!({ "Retry-After": header_ref("RetryAfter") }),
            _ => {}
        }
        ((*name).to_owned(), response)
    };
    Value::Object(REFUSALS.iter().chain(&FAILURES).map(response).collect())
}

fn problem() -> Value {
    json!({ PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } })
}

fn headers() -> Value {
    let header = |description: &str, schema: Value, required: bool| json!({ "description": description, "schema": schema, "required": required });
    json!({
        "ETag": header("Names this very content.", json!({ "type": "string", "pattern": "^\"[0-9a-f]{12}\"$" }), true),
        "Link": header("The address of the next part, as `rel=\"next\"`; left out at the end.", json!({ "type": "string" }), false),
        "RetryAfter": header("After how many seconds to try again.", json!({ "type": "integer", "minimum": 1 }), false),
        "Challenge": header("What to bring: a bearer token.", json!({ "type": "string" }), true),
    })
}

fn header_ref(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// Adds to an operation what follows from its path, its method and its body.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let has_body = operation.get("requestBody").is_some();
    let is_open = operation.get("security").is_some();
    let takes_json = operation.pointer("/requestBody/content/application~1json").is_some();
    let may_be = |status: u16| match status {
        401 => !is_open,
        404 => path.contains('{'),
        408 | 413 | 415 => has_body,
        422 => takes_json,
        _ => true,
    };
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for response in responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5'])) {
        fill_in(response.0, response.1);
    }
    for (status, name, _) in REFUSALS.iter().chain(&FAILURES).filter(|(status, ..)| may_be(*status)) {
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        responses.entry(status.to_string()).or_insert(reference);
    }
    if method == "get" {
        read(operation);
    }
}

/// What a refusal that an operation names itself has in common with all others.
fn fill_in(status: &str, response: &mut Value) {
    if response.get("content").is_none() {
        response["content"] = problem();
    }
    if status == "429" {
        response["headers"] = json!({ "Retry-After": header_ref("RetryAfter") });
    }
}

/// What is read has a tag, and is not sent to whoever has it.
fn read(operation: &mut Value) {
    let is_list = has_parameter(operation, "cursor");
    let mut headers = Map::new();
    headers.insert("ETag".into(), header_ref("ETag"));
    let not_modified = json!({ "description": "It is what `If-None-Match` names.", "headers": headers });
    if is_list {
        headers.insert("Link".into(), header_ref("Link"));
    }
    operation["responses"]["200"]["headers"] = Value::Object(headers);
    operation["responses"]["304"] = not_modified;
    let parameter = json!({
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of what is known already.",
        "schema": { "type": "string" },
    });
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

fn has_parameter(operation: &Value, name: &str) -> bool {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.into_iter().any(|parameter| parameter["name"] == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed() -> Value {
        serde_json::from_str(&DOCUMENT).unwrap()
    }

    /// Calls with every object of a document.
    fn walk(part: &Value, see: &mut dyn FnMut(&Map<String, Value>)) {
        match part {
            Value::Object(fields) => {
                see(fields);
                fields.values().for_each(|value| walk(value, see));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_no_placeholder_is_left() {
        let document = parsed();
        let mut references = 0;
        walk(&document, &mut |fields| {
            assert!(!fields.contains_key("x-schema") && !fields.contains_key("x-definitions"), "{fields:?}");
            if let Some(Value::String(to)) = fields.get("$ref") {
                references += 1;
                assert!(document.pointer(to.strip_prefix('#').unwrap()).is_some(), "{to} is not there");
            }
        });
        assert!(references > 200, "{references} references");
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_a_summary_and_problems_for_its_refusals() {
        let document = parsed();
        let mut names = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let of = format!("{method} {path}");
                names.push(operation["operationId"].as_str().unwrap().to_owned());
                assert!(operation["summary"].as_str().unwrap().ends_with('.'), "{of}");
                assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{of}");
                let responses = operation["responses"].as_object().unwrap();
                for status in ["400", "403", "500", "503"] {
                    assert!(responses.contains_key(status), "{of}: {status}");
                }
            }
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
        assert!(all > 35, "{all} operations");
    }
}
