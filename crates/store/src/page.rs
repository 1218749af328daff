//! Lists in pages.

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<T> {
    /// What comes behind this; from the beginning if `None`. It need not be in the list any more.
    pub after: Option<T>,
    /// So many at most.
    pub limit: u32,
}

impl<T> Page<T> {
    /// The beginning of a list, so many at most.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }
}
