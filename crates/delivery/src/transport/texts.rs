//! Where the text of a message comes from, and who signs it on its way out.

use std::sync::Arc;

use crate::signing::Signing;

/// The spool that holds the texts, and the keys that sign them. A clone is another handle to the same.
#[derive(Debug)]
pub(crate) struct Texts<S> {
    pub(crate) spool: Arc<S>,
    pub(crate) signing: Arc<Signing>,
}
