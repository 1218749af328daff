//! The SQLite backend of store.
