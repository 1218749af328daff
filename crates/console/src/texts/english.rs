//! What pages say, in English: plain words, second person, what happens and what to do.

use std::fmt::Display;

use super::{Texts, filled};

/// Makes a function of each text, `name: "Text";` or `name(argument): "Text with {argument}";`.
macro_rules! texts {
    ($($key:ident $(($($argument:ident),+))?: $english:literal;)+) => {
        /// Every text, by its key.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($key), $english)),+];

        impl Texts {
            $(texts!(@function $key $(($($argument),+))?: $english);)+
        }
    };
    (@function $key:ident: $english:literal) => {
        pub(crate) fn $key(self) -> &'static str {
            self.text(stringify!($key), $english)
        }
    };
    (@function $key:ident($($argument:ident),+): $english:literal) => {
        pub(crate) fn $key(self, $($argument: impl Display),+) -> String {
            filled(self.text(stringify!($key), $english), &[$((stringify!($argument), &$argument)),+])
        }
    };
}

texts! {
    skip_to_content: "Skip to content";
    your_account: "Your account";
    account_menu: "Account";
    sign_out: "Sign out";
    times_are_utc: "times are UTC";

    sign_in: "Sign in";
    sign_in_lead: "For your app passwords, your second factor, and what you have sent.";
    address: "Address";
    password: "Password";
    account_password_hint: "The password of your account; app passwords are for mail programs alone.";
    wrong_password: "This address and this password do not belong together.";
    wrong_code: "This code is not right, or was used before. Wait for the next one.";
    password_again: "That took too long, or too many codes were wrong. Begin again.";
    too_many_tries(time): "Too many tries. Again at {time} (UTC).";
    not_judged: "This can’t be judged right now; try again in a moment.";
    your_code: "Your code";
    your_code_lead: "Your password is right. Your account has a second factor, too.";
    code: "Code";
    code_hint: "The six digits that your authenticator app shows now. A recovery code is taken, too.";
    another_account: "Sign in as somebody else";
    cannot_get_in: "You can’t get in? Ask your administrator.";
    get_help: "Get help";

    overview: "Overview";
    overview_lead: "How your account is protected, who has signed in, and what you have sent.";
    you_are_signed_in(address): "You are signed in as {address}.";
    protection: "Protection";
    second_factor: "Second factor";
    on: "on";
    off: "off";
    since: "Since";
    recovery_codes_left: "Recovery codes left";
    second_factor_off: "Whoever knows your password gets in, and can send mail with it.";
    app_passwords: "App passwords";
    no_app_passwords: "You have none. Each mail program should get its own.";
    there_are: "There are";
    never_used: "Never used";
    next_to_end: "Next to end";
    last_sign_ins: "Last sign-ins";
    nobody_has_signed_in: "Nobody has signed in yet.";
    signed_in: "signed in";
    refused: "refused";
    from: "From";
    how_often: "How often";
    times(n): "{n} times";
    for_mail: "For mail";
    on_these_pages: "On these pages";
    the_account_password: "Account password";
    not_known_by_what: "Unknown password";
    sent_of_limits: "Sent, of what you may";
    messages_in_an_hour: "Messages in an hour";
    messages_in_a_day: "Messages in a day";
    recipients_in_an_hour: "Recipients in an hour";
    recipients_in_a_day: "Recipients in a day";
    new_recipients_in_a_day: "New recipients in a day";
    used_of(what, used, most): "{what}: {used} of {most}";
    used(what, used): "{what}: {used}, without a limit";

    sent_messages: "Sent messages";
    sent_messages_lead: "What was handed in, and what became of it.";
    nothing_was_sent: "Nothing was sent in the time that is remembered.";
    recipient: "Recipient";
    recipients: "Recipients";
    to_recipients(n): "{n} {n, one: recipient, other: recipients}";
    filter: "Show these";
    handed_in: "Handed in";
    handed_in_with: "Handed in with";
    to: "To";
    older: "Older";
    next_page: "Next page";
    message: "Message";
    take_back: "Take back";
    as_long_as: "Can be taken back until";
    taken_back: "The message is taken back. Nobody gets it.";
    on_its_way: "It was too late: the message is on its way, or has arrived.";
    held_by_administration: "An administrator holds this message; it can’t be taken back now.";
    facts: "Facts";
    sender: "Sender";
    size: "Size";
    queue_id: "Queue id";
    not_tried_yet: "Not tried yet.";
    next_attempt: "Next attempt:";
    what_was_done: "What was done about it";
    by: "By";
    delivered: "delivered";
    will_be_tried_again: "will be tried again";
    held: "held";
    cancelled: "cancelled";
    waiting: "waiting";
    account_of: "Account";
    state: "State";
    any: "any";
    administration: "Administration";
    administration_lead: "The queue in figures, and who is locked out.";
    administration_needs_second_factor: "You are an administrator. The pages of administration open once your account has a second factor.";
    queue: "Queue";
    queue_lead: "What was accepted and is not yet delivered.";
    all_messages(n): "{n} {n, one: message, other: messages}";
    oldest: "oldest";
    nothing_waits: "Nothing waits.";
    recipient_domain: "Domain of a recipient";
    reply_contains: "Last reply contains";
    filter_not_understood: "What is looked for is not understood: a sender is an address or <>, a domain is like example.org, an age like 2h.";
    hold: "Hold";
    release: "Release";
    try_again_now: "Try again now";
    is_held: "The message is held.";
    is_released: "The message is released.";
    is_tried_again: "The message is tried again now.";
    could_not_be_done: "This could not be done.";
    locked_out: "Locked out";
    locked_out_lead: "Who has to wait after failed logins. App passwords go on working.";
    locked_out_now: "Locked out now";
    nobody_is_locked_out: "Nobody is locked out.";
    failures_until(n, time): "{n} {n, one: failure, other: failures}, until {time} (UTC)";
    let_in: "Let in";
    is_let_in(whom): "{whom} is let in.";
    accounts: "Accounts";
    accounts_lead: "Who may log in, and how each account is protected.";
    no_accounts: "There is no such account.";
    address_or_name: "Address or name";
    may_log_in: "may log in";
    disabled: "disabled";
    administrators: "administrators";
    administrator: "Administrator";
    with_second_factor: "with a second factor";
    without_second_factor: "without a second factor";
    name: "Name";
    last_login: "Last login";
    never: "never";
    is_disabled: "This account is disabled: nobody can log in to it.";
    made: "Made";
    yes: "yes";
    no: "no";
    it_has_none: "It has none.";
    last_used: "Last used";
    ends: "Ends";
    audit_trail: "Audit trail";
    audit_trail_lead: "Who logged in or tried to, and what was changed; newest first.";
    action: "Action";
    failures_alone: "Failures alone";
    nothing_there: "Nothing of this is in the trail.";
    when: "When";

    just_now: "just now";
    minutes_ago(n): "{n} {n, one: minute, other: minutes} ago";
    hours_ago(n): "{n} {n, one: hour, other: hours} ago";
    date(day, month, year, time): "{day} {month} {year}, {time}";
    months: "January February March April May June July August September October November December";

    go_on_home: "To the first page";
    request_is: "Request";
    not_found: "There is no such page";
    not_found_more: "The address may be mistyped, or what was here is gone.";
    method_not_allowed: "This page can’t be asked for in this way";
    method_not_allowed_more: "Nothing was changed. Go back to the page that led here.";
    forbidden: "This was not taken";
    forbidden_more: "It did not come from a page of this server, or that page was open for too long. Nothing was changed. Load the page again, and send the form once more.";
    misdirected: "Not here";
    misdirected_more: "This server has no pages under the name that your browser asked for.";
    no_form: "This can’t be read";
    no_form_more: "It is no form of these pages, or much too large. Nothing was changed.";
    timed_out: "This took too long";
    too_many: "Too many requests";
    too_many_more: "More pages were asked for from your network than one person reads. Wait a little, then load the page again.";
    unavailable: "This can’t be done right now";
    nothing_was_changed: "Nothing was changed; try again in a moment.";
}
