//! Decides the claims that SASL mechanisms make.
