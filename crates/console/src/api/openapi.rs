//! `/api/v1/openapi.json`: the document of the API.

use axum::http::{HeaderValue, Method, header};
use axum::routing::on;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::operation::Operation;
use crate::right::{Right, Route};

pub(crate) const ROUTES: &[Route] = &[Route::api(
    Method::GET,
    "/api/v1/openapi.json",
    Right::AnyToken,
    |method| on(method, show),
    Operation::new("getDocument", "Shows this document").shows::<Document>("Document"),
)];

/// What `gatepost web describe` prints, which a test compares with what the routes say.
const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// An OpenAPI document.
struct Document;

impl PartialSchema for Document {
    fn schema() -> RefOr<Schema> {
        Schema::Object(Object::with_type(Type::Object)).into()
    }
}

impl ToSchema for Document {}

async fn show() -> ([(header::HeaderName, HeaderValue); 1], &'static str) {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], DOCUMENT)
}
