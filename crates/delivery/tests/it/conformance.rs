//! What `store` promises to those who deliver, of the spool in memory.

use crate::spool::MemoryStore;

async fn open() -> (MemoryStore, ()) {
    (MemoryStore::default(), ())
}

async fn beside(store: &MemoryStore) -> MemoryStore {
    store.clone()
}

store::delivery_conformance!(open, beside);
