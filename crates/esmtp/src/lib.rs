//! The ESMTP protocol, both sides, without I/O.
