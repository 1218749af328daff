//! What a client may ask of a session, as named numbers with their reasons.

/// Octets of a command line with its CRLF. RFC 5321 section 4.5.3.1.4 asks for 512. The parameters of MAIL add some 700 (AUTH= 500,
/// ENVID= and RET= 120, SIZE=, BODY= and SMTPUTF8 53), those of RCPT some 550 (ORCPT= and NOTIFY=, RFC 3461 sections 4.1 and 4.2).
pub const COMMAND_LINE: usize = 2048;

/// Octets of a line of a reply with its code and its CRLF. RFC 5321 section 4.5.3.1.5.
pub const REPLY_LINE: usize = 512;

/// Octets of an AUTH command or of a line within its exchange. RFC 4954 section 4 asks for 12288.
pub const AUTH_LINE: usize = 16_384;

/// Octets past its limit that a line may still run on before the connection is closed.
pub const LINE_EXCESS: usize = 8192;

/// Octets of a line of message text without its CRLF. RFC 5321 section 4.5.3.1.6, RFC 5322 section 2.1.1.
pub const TEXT_LINE: usize = 998;

/// Octets that are read and thrown away beyond the limit of a message, so that a client that overran it a little
/// still gets its 552, and a flood ends.
pub const DISCARD_SLACK: u64 = 1024 * 1024;

/// BDAT commands in one message before their size counts; each costs more than its octets.
pub const CHUNKS: u64 = 1000;

/// Octets that chunks have to have on average from there on. Whoever sends in chunks sends some kilobytes in each.
pub const CHUNK_AVERAGE: u64 = 256;

/// CRs in a row that are remembered until it is known whether a LF follows, which makes them one line end, where bare
/// line ends are repaired. Each CR before these is a line end of its own.
pub const CR_RUN: usize = 1000;

/// Mechanisms that were tried and are not offered, then 421. They are no errors: a client may know no better way to find one
/// that is offered than to try all it has.
pub const UNKNOWN_MECHANISMS: u32 = 20;

/// RCPT commands of a message, as a multiple of the recipients that it may have, before further ones are errors: more than these
/// are no list of recipients, for the rest of which the client has been told to send another message.
pub const RECIPIENTS_TRIED: usize = 2;

/// Errors before authentication, then 421.
pub const ERRORS_BEFORE_LOGIN: u32 = 3;

/// Errors and refusals of whoever may send since the last accepted message, then 421. Recipients that are refused between
/// accepted ones count as one for each transaction.
pub const ERRORS_IN_A_ROW: u32 = 20;

/// Commands since the last accepted message that did nothing for one (NOOP, RSET, EHLO, HELP, VRFY), then 421.
pub const IDLE_COMMANDS: u32 = 100;
