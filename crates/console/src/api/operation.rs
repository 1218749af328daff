//! What the document says of a route beyond its method, its path and its scope.

use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An operation, as the document has it. It is part of the route, so that there is none without one.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    /// Its name, which generated clients have for their functions.
    pub(crate) id: &'static str,
    /// What it does, in one line.
    pub(crate) summary: &'static str,
    /// What may stand behind the question mark; anything else is refused.
    pub(crate) query: &'static [Parameter],
    /// What is sent.
    pub(crate) body: Option<Shape>,
    /// The status of an answer that all is well.
    pub(crate) status: u16,
    /// What is answered.
    pub(crate) answer: Option<Shape>,
    /// Whether the answer is a page of a list of these.
    pub(crate) is_list: bool,
    /// Codes of problems that it has beyond those of every operation.
    pub(crate) problems: &'static [&'static str],
    /// Whether the object may be changed only by whoever knows how it is now.
    pub(crate) needs_if_match: bool,
    /// Whether the path names an account.
    pub(crate) is_of_any: bool,
}

/// A parameter behind the question mark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) kind: ParameterKind,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ParameterKind {
    /// Any text.
    Text,
    /// A whole number from 1 to 200.
    Limit,
    /// A time, as RFC 3339 has it.
    Time,
    /// One of these words.
    OneOf(fn() -> Vec<&'static str>),
}

impl Parameter {
    pub(crate) const fn text(name: &'static str, says: &'static str) -> Self {
        Self { name, says, kind: ParameterKind::Text }
    }

    pub(crate) const fn time(name: &'static str, says: &'static str) -> Self {
        Self { name, says, kind: ParameterKind::Time }
    }

    pub(crate) const fn one_of(
        name: &'static str,
        says: &'static str,
        words: fn() -> Vec<&'static str>,
    ) -> Self {
        Self { name, says, kind: ParameterKind::OneOf(words) }
    }
}

/// What each list takes.
pub(crate) const PAGING: [Parameter; 2] = [
    Parameter {
        name: "limit",
        says: "How many items at most; 50 if nothing is said.",
        kind: ParameterKind::Limit,
    },
    Parameter::text("after", "The `next` of the page before."),
];

/// What JSON looks like.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Its name in the document, under which `examples.json` has an example.
    pub(crate) name: &'static str,
    /// The shape itself.
    pub(crate) schema: fn() -> RefOr<Schema>,
    /// The shapes that it refers to.
    pub(crate) parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Shape {
    /// The shape of this type.
    pub(crate) const fn of<T: ToSchema + PartialSchema>(name: &'static str) -> Self {
        Self { name, schema: T::schema, parts: T::schemas }
    }
}

impl Operation {
    /// An operation that is answered with nothing.
    pub(crate) const fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            query: &[],
            body: None,
            status: 204,
            answer: None,
            is_list: false,
            problems: &[],
            needs_if_match: false,
            is_of_any: false,
        }
    }

    /// It is answered with an object.
    pub(crate) const fn shows<T: ToSchema>(self, name: &'static str) -> Self {
        Self { status: 200, answer: Some(Shape::of::<T>(name)), ..self }
    }

    /// It is answered with a page of a list.
    pub(crate) const fn lists<T: ToSchema>(self, name: &'static str) -> Self {
        Self { is_list: true, ..self.shows::<T>(name) }
    }

    /// It makes an object, and is answered with it.
    pub(crate) const fn makes<T: ToSchema>(self, name: &'static str) -> Self {
        Self { status: 201, answer: Some(Shape::of::<T>(name)), ..self }
    }

    /// It takes this body.
    pub(crate) const fn takes<T: ToSchema>(self, name: &'static str) -> Self {
        Self { body: Some(Shape::of::<T>(name)), ..self }
    }

    /// It takes these parameters, and those of a list if it is one.
    pub(crate) const fn filtered_by(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    /// It has these problems, too.
    pub(crate) const fn or(self, problems: &'static [&'static str]) -> Self {
        Self { problems, ..self }
    }

    /// The same of an account that the path names, by another name of the operation.
    pub(crate) const fn of_any(self, id: &'static str) -> Self {
        Self { id, is_of_any: true, ..self }
    }

    /// Only whoever knows how the object is now may do it.
    pub(crate) const fn if_match(self) -> Self {
        Self { needs_if_match: true, ..self }
    }

    /// Each parameter that it takes.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &'static Parameter> {
        let paging: &'static [Parameter] = if self.is_list { &PAGING } else { &[] };
        self.query.iter().chain(paging)
    }
}
