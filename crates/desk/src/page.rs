//! Lists in pages.

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T, Place> {
    /// What is on it.
    pub items: Vec<T>,
    /// The place of the last of them, which the next page comes behind; `None` if there is nothing on this page.
    pub last: Option<Place>,
}
