//! What a sender asks about delivery status notifications (RFC 3461): when to be told, and what of the message to get back.

use std::fmt;

/// When the sender is to be told about a recipient: NOTIFY of RCPT (RFC 3461 section 4.1). Where it was not said, the server decides.
///
/// Exhaustive: RFC 3461 has no other events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Notify {
    /// Once the message is delivered.
    pub success: bool,
    /// If it can't be delivered.
    pub failure: bool,
    /// If it is late, but may still be delivered.
    pub delay: bool,
}

impl Notify {
    /// The sender is told nothing.
    pub const NEVER: Self = Self { success: false, failure: false, delay: false };

    /// What the sender is told who has not said it: RFC 3461 section 4.1 has FAILURE, and leaves DELAY to the server.
    pub const DEFAULT: Self = Self { success: false, failure: true, delay: true };

    /// Reads `NEVER`, or one or more of `SUCCESS`, `FAILURE` and `DELAY` with commas between them, in either case. `None` for
    /// anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("NEVER") {
            return Some(Self::NEVER);
        }
        text.split(',').try_fold(Self::NEVER, |notify, word| match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => Some(Self { success: true, ..notify }),
            "FAILURE" => Some(Self { failure: true, ..notify }),
            "DELAY" => Some(Self { delay: true, ..notify }),
            _ => None,
        })
    }
}

/// As the value of NOTIFY.
impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NEVER {
            return f.write_str("NEVER");
        }
        let events = [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")];
        for (place, (_, name)) in events.into_iter().filter(|(wanted, _)| *wanted).enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// What of a message that can't be delivered its sender gets back: RET of MAIL (RFC 3461 section 4.3).
///
/// Exhaustive: RFC 3461 has no other values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ret {
    /// All of it.
    Full,
    /// Its header alone.
    Headers,
}

impl Ret {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Full, Self::Headers];

    /// The value of RET.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Headers => "HDRS",
        }
    }

    /// The choice that is written so, in either case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ret| ret.name().eq_ignore_ascii_case(name))
    }
}

/// How a message was handed over for a recipient. It decides who tells the sender that the recipient has it, if that was asked.
///
/// Exhaustive: whoever reports has to deal with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handover {
    /// It lies where its recipient reads it. We tell, of `delivered` (RFC 3461 section 5.2.3).
    Final,
    /// A host has it that offers DSN, and was told what the sender asks. That host tells (RFC 3461 section 5.2.1).
    WithDsn,
    /// A host has it that does not offer DSN. We tell, of `relayed` (RFC 3461 section 5.2.2).
    WithoutDsn,
    /// A host has it that does not offer DELIVERBY, and its sender has set a time that nobody sees to from there on. We tell, of `relayed` (RFC
    /// 2852 section 4.1.4.2), whether the host offers DSN or not.
    WithoutDeliverBy,
}

/// What the sender of a message is told of a recipient.
///
/// Exhaustive: a report has words for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportEvent {
    /// It was refused for good.
    Refused,
    /// It was tried for as long as the schedule has it.
    GivenUp,
    /// An administrator has ended the attempts.
    Returned,
    /// It is late, and tried again.
    Late,
    /// It lies where its recipient reads it.
    Delivered,
    /// A host has it that does not tell what becomes of it.
    Relayed,
}

impl ReportEvent {
    /// Every event there is.
    pub const ALL: [Self; 6] =
        [Self::Refused, Self::GivenUp, Self::Returned, Self::Late, Self::Delivered, Self::Relayed];

    /// The event as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::GivenUp => "given-up",
            Self::Returned => "returned",
            Self::Late => "late",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
        }
    }

    /// The event that is stored so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// The value of the field Action (RFC 3464 section 2.3.3).
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::Refused | Self::GivenUp | Self::Returned => "failed",
            Self::Late => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
        }
    }

    /// Whether the recipient will not get the message.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        match self {
            Self::Refused | Self::GivenUp | Self::Returned => true,
            Self::Late | Self::Delivered | Self::Relayed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn never_stands_alone_and_the_others_in_any_order() {
        let some = Notify { success: true, delay: true, ..Notify::NEVER };
        assert_eq!(Notify::from_text("delay,SUCCESS"), Some(some));
        assert_eq!(some.to_string(), "SUCCESS,DELAY");
        assert_eq!(Notify::from_text("never"), Some(Notify::NEVER));
        for text in ["", "NEVER,FAILURE", "FAILURE,NEVER", "FAILURE,", ",FAILURE", "FAILURE DELAY", "ALWAYS"]
        {
            assert_eq!(Notify::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_returned_is_one_of_two() {
        assert_eq!((Ret::from_name("full"), Ret::from_name("HDRS")), (Some(Ret::Full), Some(Ret::Headers)));
        assert_eq!((Ret::from_name(""), Ret::from_name("HEADERS")), (None, None));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(success: bool, failure: bool, delay: bool) {
            let notify = Notify { success, failure, delay };
            prop_assert_eq!(Notify::from_text(&notify.to_string()), Some(notify));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}|(never|success|,|delay){0,5}") {
            if let Some(notify) = Notify::from_text(&text) {
                prop_assert_eq!(Notify::from_text(&notify.to_string()), Some(notify));
            }
        }
    }
}
