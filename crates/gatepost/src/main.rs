//! An authenticating mail submission server.
fn main() {}
