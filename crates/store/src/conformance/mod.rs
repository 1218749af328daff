//! The tests that every backend passes. A backend calls [`conformance!`](crate::conformance!) once.
