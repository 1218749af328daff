//! The document of the API: OpenAPI 3.1, made of the routes and of what they say of themselves.
//!
//! Scopes, parameters and problems that every operation has are not written anywhere but in the code that checks them, so that the document can't
//! say anything else. `docs/openapi.json` is what this makes; a test compares.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Map, Value, json};
use types::Scope;

use super::codes;
use super::failure::{Details, PROBLEM_JSON};
use super::operation::{Operation, Parameter, ParameterKind, Shape};
use super::paging::MOST;
use crate::right::{Right, Route};

/// An example of each shape, by its name.
const EXAMPLES: &str = include_str!("examples.json");

/// Problems that every operation has.
const ALWAYS: [&str; 8] = [
    "bad-request",
    "invalid-token",
    "not-acceptable",
    "timed-out",
    "misdirected",
    "invalid",
    "too-many-requests",
    "unavailable",
];

const DESCRIPTION: &str =
    "What users and administrators do with their mail server, for programs. docs/api.md tells how to begin.";

/// The document of these routes; pages are left out.
pub(crate) fn of(routes: impl Iterator<Item = &'static Route>) -> Value {
    let (mut paths, mut schemas) = (Map::new(), BTreeMap::new());
    for route in routes {
        let Some(operation) = &route.operation else { continue };
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(
                route.method.as_str().to_ascii_lowercase(),
                described(route, operation, &mut schemas),
            );
        }
    }
    add(&Shape::of::<Details<'static>>("Problem"), &mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Gatepost",
            "description": DESCRIPTION,
            "version": "1",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "gp_…",
                "description": "A token of the page /account/tokens, or of `gatepost token create`.",
            }},
        },
    })
}

type Schemas = BTreeMap<String, Value>;

fn described(route: &Route, operation: &Operation, schemas: &mut Schemas) -> Value {
    let scopes = scopes(route.right);
    let mut said = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": needed(&scopes),
        "tags": [tag(route.path)],
        "x-scopes": scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>(),
        "responses": responses(route, operation, schemas),
    });
    let parameters = parameters(route, operation);
    if !parameters.is_empty() {
        set(&mut said, "parameters", Value::Array(parameters));
    }
    if let Some(shape) = &operation.body {
        let mut content = content(shape, &example(shape.name), schemas);
        if route.method == Method::PATCH {
            let as_json = content.get("application/json").cloned().unwrap_or_default();
            set(&mut content, "application/merge-patch+json", as_json);
        }
        set(&mut said, "requestBody", json!({"required": true, "content": content}));
    }
    said
}

fn scopes(right: Right) -> Vec<Scope> {
    match right {
        Right::Token(scope) => vec![scope],
        Right::Tokens(one, other) => vec![one, other],
        Right::Anyone
        | Right::Asset
        | Right::Problem
        | Right::Link
        | Right::SignedIn
        | Right::Admin
        | Right::Metrics
        | Right::Health
        | Right::Clients
        | Right::AnyToken => Vec::new(),
    }
}

fn needed(scopes: &[Scope]) -> String {
    let names: Vec<_> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
    let administrators =
        if scopes.iter().any(|scope| scope.needs_administrator()) { ", of an administrator" } else { "" };
    match names.as_slice() {
        [] => "Needs a token, whatever its scopes.".to_owned(),
        names => format!("Needs a token with {}{administrators}.", names.join(" and ")),
    }
}

/// What it belongs to: the first part of its path that says so.
fn tag(path: &str) -> &str {
    let rest = path.trim_start_matches("/api/v1/").trim_start_matches("admin/");
    rest.split('/').next().unwrap_or_default()
}

fn parameters(route: &Route, operation: &Operation) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| {
        json!({
            "name": name, "in": "path", "required": true, "description": of_path(name),
            "schema": {"type": "string", "minLength": 1}, "example": example(&format!("path {name}")),
        })
    });
    let in_query = operation.parameters().map(|parameter| {
        json!({
            "name": parameter.name, "in": "query", "required": false, "description": parameter.says,
            "schema": of_query(parameter),
        })
    });
    let key = (route.method == Method::POST).then(|| {
        header(
            "Idempotency-Key",
            false,
            "A name for this request: repeated with the same within a day, it is done once.",
            json!({"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]([ -~]*[!-~])?$"}),
        )
    });
    let if_match = operation.needs_if_match.then(|| {
        header(
            "If-Match",
            true,
            "The ETag of the object as it is now; `*` takes it as it is.",
            json!({"type": "string", "minLength": 1}),
        )
    });
    in_path.chain(in_query).chain(key).chain(if_match).collect()
}

fn header(name: &str, required: bool, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "header", "required": required, "description": description, "schema": schema})
}

fn of_path(name: &str) -> &'static str {
    match name {
        "address" => "The address of the account.",
        "sender" => "An address, `*@example.org`, or `*`.",
        _ => "The whole identifier.",
    }
}

fn of_query(parameter: &Parameter) -> Value {
    match parameter.kind {
        ParameterKind::Text => json!({"type": "string"}),
        ParameterKind::Limit => json!({"type": "integer", "minimum": 1, "maximum": MOST}),
        ParameterKind::Time => json!({"type": "string", "format": "date-time"}),
        ParameterKind::OneOf(words) => json!({"type": "string", "enum": words()}),
    }
}

fn responses(route: &Route, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    let well = well(operation, schemas);
    if operation.status == 201 {
        let mut again = well.clone();
        set(
            &mut again,
            "description",
            "It was made by an earlier request with this Idempotency-Key. What is secret is null.".into(),
        );
        if let Some(again) = again.as_object_mut() {
            again.remove("headers");
        }
        responses.insert("200".to_owned(), again);
    }
    responses.insert(operation.status.to_string(), well);
    for (status, codes) in problems(route, operation) {
        responses.insert(status.to_string(), problem(status, &codes));
    }
    Value::Object(responses)
}

/// The answer if all is well.
fn well(operation: &Operation, schemas: &mut Schemas) -> Value {
    let Some(shape) = &operation.answer else { return json!({"description": "It is done."}) };
    let example = example(shape.name);
    match (operation.is_list, operation.status) {
        (true, _) => {
            add(shape, schemas);
            let schema = json!({
                "type": "object",
                "required": ["items", "next"],
                "properties": {
                    "items": {"type": "array", "items": reference(shape.name)},
                    "next": {"type": ["string", "null"], "description": "Where the next page begins; null behind the last."},
                },
            });
            let example = json!({"items": [example], "next": null});
            json!({"description": "A page of the list.", "content": {"application/json": {"schema": schema, "example": example}}})
        }
        (false, 201) => json!({
            "description": "It is made.",
            "headers": {"Location": {"description": "Where it is.", "schema": {"type": "string"}}},
            "content": content(shape, &example, schemas),
        }),
        (false, _) => json!({
            "description": "As it is now.",
            "headers": {"ETag": {"description": "Another as soon as the object is.", "schema": {"type": "string"}}},
            "content": content(shape, &example, schemas),
        }),
    }
}

/// The problems that it has, by their status.
fn problems(route: &Route, operation: &Operation) -> BTreeMap<u16, Vec<&'static str>> {
    let mut all: Vec<&'static str> = ALWAYS.into();
    all.extend(operation.problems);
    let rights = scopes(route.right);
    all.extend((!rights.is_empty()).then_some("missing-scope"));
    all.extend(rights.iter().any(|scope| scope.needs_administrator()).then_some("not-administrator"));
    all.extend(route.path.contains('{').then_some("not-found"));
    all.extend(operation.is_of_any.then_some("no-account"));
    if operation.body.is_some() {
        all.extend(["not-json", "unsupported-media-type"]);
    }
    all.push("too-large");
    if route.method == Method::POST {
        all.extend(["idempotency-running", "idempotency-key-reused"]);
    }
    if operation.needs_if_match {
        all.extend(["precondition-failed", "precondition-required"]);
    }
    let mut by_status = BTreeMap::<u16, Vec<_>>::new();
    for kind in codes::ALL.iter().filter(|kind| all.contains(&kind.code)) {
        by_status.entry(kind.status).or_default().push(kind.code);
    }
    by_status
}

fn problem(status: u16, codes: &[&'static str]) -> Value {
    let titles = codes
        .iter()
        .filter_map(|code| codes::of(code))
        .map(|kind| format!("`{}`: {}.", kind.code, kind.title));
    let kind = codes.first().and_then(|code| codes::of(code));
    let example = kind.map(|kind| json!({
        "type": format!("https://mail.example.org/problems/{}", kind.code), "title": kind.title, "status": status,
        "detail": kind.advice, "code": kind.code, "request": "8f3kz2m9q4w7",
    }));
    json!({
        "description": titles.collect::<Vec<_>>().join(" "),
        "content": {PROBLEM_JSON: {"schema": reference("Problem"), "example": example}},
    })
}

fn content(shape: &Shape, example: &Value, schemas: &mut Schemas) -> Value {
    add(shape, schemas);
    json!({"application/json": {"schema": reference(shape.name), "example": example}})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Adds a shape and those that it refers to.
fn add(shape: &Shape, schemas: &mut Schemas) {
    let mut parts = Vec::new();
    (shape.parts)(&mut parts);
    parts.push((shape.name.to_owned(), (shape.schema)()));
    for (name, schema) in parts {
        let mut schema = serde_json::to_value(schema).unwrap_or_default();
        described_in_place(&mut schema);
        schemas.insert(name, schema);
    }
}

/// What a shape that is written out in place of another is described by is told by utoipa as a second shape, an object, which a number is not.
fn described_in_place(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(described_in_place),
        Value::Object(members) => {
            members.values_mut().for_each(described_in_place);
            if let Some([Value::Object(shape), Value::Object(words)]) =
                members.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
                && words.keys().eq(["description", "type"])
            {
                let mut shape = shape.clone();
                shape.extend(words.get("description").map(|said| ("description".to_owned(), said.clone())));
                *members = shape;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The example of this name; `null` if there is none, which a test sees.
fn example(name: &str) -> Value {
    let all: Map<String, Value> = serde_json::from_str(EXAMPLES).unwrap_or_default();
    all.get(name).cloned().unwrap_or_default()
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
