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
    sent_of_limits: "Sent, of what is allowed";
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

    confirm: "Confirm that it is you";
    confirm_hint: "What this form does is asked of the owner of the account alone.";
    your_password_now: "Your password";
    not_confirmed: "This password, or this code, is not right.";
    code_is_missing: "The code of your second factor is missing.";
    save: "Save";
    back: "Back";

    app_passwords_lead: "Each mail program or device gets a password of its own. Revoking one ends what uses it, at its next command, and leaves the others alone.";
    new_app_password: "New app password";
    your_app_passwords: "Your app passwords";
    none_yet: "You have none yet. Each mail program gets its own.";
    programs_need_app_passwords: "Two-factor authentication is on. Your account password opens these pages, together with a code; mail programs need app passwords.";
    used_from: "from";
    only_from: "Only from";
    only_as: "Only as";
    ended: "ended";
    ends_in_days(n): "ends in {n} {n, one: day, other: days}";
    never_used_yet: "never used";
    unused_for_days(n): "not used for {n} {n, one: day, other: days}";
    label: "Label";
    label_hint: "The program and where it runs, such as Thunderbird on laptop, so that you know it again.";
    label_is_missing: "Give it a label.";
    label_is_no_line: "The label is longer than 200 characters, or more than one line.";
    another_label: "Another label";
    relabelled(label): "It is called {label} now.";
    revoke: "Revoke";
    revoke_question(label): "Revoke {label}?";
    revoke_lead: "Whatever uses it can no longer send mail, from its next command on. This can’t be undone; you can make another one at any time.";
    it_was_never_used: "It was never used.";
    still_queued(n): "Not delivered yet, of what came with it: {n} {n, one: message, other: messages}.";
    hold_them: "Also hold those messages: an administrator decides what becomes of them";
    revoke_it(label): "Revoke {label}";
    keep_it: "Keep it";
    revoked(label): "{label} is revoked.";
    messages_held(n): "{n} {n, one: message is, other: messages are} held.";
    new_app_password_lead: "For one program on one device. The password is made here, and shown once.";
    nothing_was_made: "Nothing was made yet.";
    in_days(n): "in {n} days";
    in_a_year: "in a year";
    after_this_day: "after the day below";
    this_day: "Day";
    end_is_no_day: "Choose a day that has not passed.";
    networks_hint: "Networks like 192.0.2.0/24 or single addresses, one a line. Left empty, it is good everywhere.";
    no_network(line): "“{line}” is no network and no address.";
    senders_hint: "Without a tick, it is good for every address that you may send as.";
    not_your_sender: "You may not send as all of these.";
    make_it: "Make it";
    made_already: "It was made already, and is not shown again. Revoke it and make another one if you don’t have it.";
    too_many_app_passwords(n): "You have {n} app passwords, which is as many as you may have. Revoke one that is no longer used.";
    your_new_app_password: "Your new app password";
    shown_once: "It is shown now and never again. Put it into the program, see that the program can send, and then leave this page.";
    password_for(label): "Password for “{label}”";
    sixteen_letters: "Sixteen letters. It is good with and without the spaces.";
    copy_it: "Copy the password";
    copied: "Copied";
    i_have_put_it_in: "I have put it in";
    outgoing_server: "Outgoing server";
    server: "Server";
    port: "Port";
    user_name: "User name";
    method: "Method";
    normal_password: "Normal password";
    where_to_put_it: "Where to put it";
    thunderbird_1: "Open Account Settings, then Outgoing Server (SMTP), and choose Add.";
    thunderbird_2: "Type the settings above. The authentication method is Normal password.";
    thunderbird_3: "Send a message to yourself. When Thunderbird asks for a password, paste this one and let it be remembered.";
    outlook_1: "Choose File, Account Settings, Change, then More Settings.";
    outlook_2: "Under Outgoing Server switch on authentication, with the user name and the password from this page.";
    something_else: "Something else: a printer, a script";
    something_else_more: "Any program that speaks SMTP with TLS and a password will do. The settings above are all it needs.";

    browser_sessions: "Browser sessions";
    browser_sessions_lead: "Where you are signed in on these pages. End what is not yours, or what you no longer use.";
    this_one: "this one";
    end_it: "End it";
    session_ended(agent): "The session is ended: {agent}";
    sign_out_everywhere: "Sign out everywhere";
    sign_out_everywhere_lead: "All your browser sessions end, this one too. Mail programs go on.";

    tokens: "API tokens";
    tokens_lead: "Programs that ask this server for something over HTTP show a token. Each gets one of its own, with no more rights than it needs.";
    new_token: "New token";
    your_tokens: "Your tokens";
    no_tokens: "You have none. Programs that use the API get a token here.";
    may: "May";
    new_token_lead: "For one program. The token is made here, and shown once. It never opens more than you may yourself.";
    token_label_hint: "The program and where it runs, such as backup on nas, so that you know it again.";
    scopes_hint: "Tick only what the program needs. Whoever may change something may see it, too.";
    scope_is_missing: "Tick what the program may do.";
    not_your_scope: "You may not do all of this yourself.";
    token_ends_hint(days): "A token always ends: after {days} {days, one: day, other: days} at the latest.";
    after_the_usual_time: "after 90 days, or sooner if none lasts that long";
    token_too_long(days): "No token lasts that long: {days} {days, one: day, other: days} at most.";
    too_many_tokens(n): "You have {n} tokens, which is as many as you may have. Revoke one that is no longer used.";
    your_new_token: "Your new token";
    token_shown_once: "It is shown now and never again. Put it where the program keeps its secrets, and then leave this page.";
    token_for(label): "Token for “{label}”";
    try_it: "To try it";
    copy_token: "Copy the token";
    i_have_kept_it: "I have kept it";
    revoke_token_lead: "Whatever uses it is refused from its next request on. This can’t be undone; you can make another one at any time.";
    scope_account_read: "See your account";
    scope_account_write: "Change your account, but for password, second factor and tokens";
    scope_messages_read: "See what you have sent";
    scope_messages_write: "Take back and stop what you have sent";
    scope_accounts_read: "See all accounts";
    scope_accounts_write: "Change all accounts";
    scope_queue_read: "See the queue";
    scope_queue_write: "Hold, release, retry, return and remove what is in the queue";
    scope_throttles_read: "See who is locked out";
    scope_throttles_write: "Let in who is locked out";
    scope_audit_read: "Read the audit trail";
    scope_domains_read: "See domains, their DNS records and DKIM keys";
    scope_domains_write: "Make and retire DKIM keys";
    scope_health_read: "See how the server is doing";
    scope_limits_read: "See who may send how much";
    scope_limits_write: "Change who may send how much";
    scope_webhooks_read: "See webhooks";
    scope_webhooks_write: "Add, test and remove webhooks";
    scope_metrics_read: "Read the metrics";

    password_is_elsewhere: "Your password is kept by another system, and is changed there.";
    password_lead: "The password of your account, which opens these pages. All your other browser sessions end when you change it.";
    new_password: "New password";
    new_password_hint(least): "At least {least} characters, such as a few words that don’t belong together.";
    change_password: "Change the password";
    password_changed: "Your password is changed, and your other browser sessions have ended.";
    password_and_app_passwords: "App passwords stay good. If somebody else knew your password, revoke those that you don’t know.";

    second_factor_on_lead: "These pages ask for a code of your authenticator app beside the password. Mail programs need app passwords.";
    second_factor_off_lead: "With a second factor, these pages ask for a code of an authenticator app beside your password.";
    second_factor_changes: "Mail programs that use your account password can no longer send from then on: make each of them an app password.";
    set_it_up: "Set up the second factor";
    fresh_codes: "Recovery codes";
    fresh_codes_more: "Each stands in once for the app. Fresh ones take the place of those that are left.";
    make_fresh_codes: "Make fresh codes";
    switch_it_off: "Switch it off";
    switch_it_on: "Switch it on";
    scan_lead: "Scan this with an authenticator app. It is shown this once, and nothing is switched on before the code below is right.";
    scan_again: "Show the code that the app has now. If you have not scanned the picture:";
    begin_again: "Begin again";
    qr_label: "QR code for an authenticator app";
    or_type: "Or type this key into the app:";
    first_code_hint: "The six digits that the app shows now.";
    recovery_codes: "Recovery codes";
    recovery_codes_lead: "The second factor is on. Each of these codes stands in once for the app, when you don’t have it. They are shown now and never again: print them, or keep them where you keep passwords.";
    i_have_kept_them: "I have kept them";
    switch_off_question: "Switch off the second factor?";
    switch_off_lead: "Your password alone opens these pages again, and mail programs can use it to send. App passwords stay as they are.";
    second_factor_is_off: "The second factor is switched off.";

    sign_ins: "Sign-ins";
    sign_ins_lead: "Who signed in or tried to, by what and where from, and what was changed. End what you don’t know: revoke the app password, or change your password.";
    how_far_back: "How far back";
    all_there_is: "all there is";
    last_days(n): "{n} {n, one: day, other: days}";
    show_them: "Show";
    new_network: "new network";
    by_what: "By";

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
    timed_out_more: "It may have been done all the same. Look before you send it again.";
    too_many: "Too many requests";
    too_many_more: "More pages were asked for from your network than one person reads. Wait a little, then load the page again.";
    unavailable: "This can’t be done right now";
    nothing_was_changed: "Nothing was changed; try again in a moment.";
}
