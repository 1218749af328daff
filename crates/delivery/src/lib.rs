//! Carries accepted mail away.
