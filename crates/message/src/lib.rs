//! The message as data: header section, RFC 6409 fix-up, trace.
