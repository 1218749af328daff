//! The front door: an embeddable mail submission server.
