//! SASL mechanisms as pure exchanges, and the trait that judges their claims.
