//! What Gatepost keeps, as traits and rows in mail's words.
