//! The front door: an embeddable mail submission server.
mod tls;
mod pem;
mod wire;
