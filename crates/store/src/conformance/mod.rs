//! The tests that every backend passes: what the traits promise, and SQL cannot say.
//!
//! A backend calls [`conformance!`](crate::conformance!) once, with a function that opens a fresh store, and one that opens
//! another handle to it. A backend of the queue alone calls [`spool_conformance!`](crate::spool_conformance!).
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "these are tests")]

pub mod accounts;
pub mod api_tokens;
pub mod app_passwords;
pub mod at_once;
pub mod audit;
pub mod certificates;
pub mod challenge_keys;
pub mod dkim_keys;
pub mod duplicates;
pub mod idempotency;
pub mod enrolments;
pub mod identity;
pub mod import;
pub mod lease;
pub mod ledger;
pub mod list;
pub mod nodes;
pub mod operate;
pub mod outcome;
pub mod pages;
pub mod report;
pub mod revision;
mod sample;
pub mod sealed;
pub mod second_factor;
pub mod session_rights;
pub mod sending;
pub mod sign_ins;
pub mod sts_policies;
pub mod submit;
pub mod telling;
pub mod throttle;
pub mod tls_results;
pub mod web_sessions;
pub mod webhooks;

/// Makes a test of each function of the suite.
///
/// `$open` is an async function that gives `(store, guard)`: an empty store, and what keeps it alive. The store's `accounts()`
/// is an implementation of `Accounts` and all that goes with it, its `spool()` one of `Spool`, its `ledger()` one of `Ledger`. `$beside` is an async function that
/// opens a given store once more, with connections of its own, as another process would.
#[macro_export]
macro_rules! conformance {
    ($open:ident, $beside:ident) => {
        $crate::accounts_conformance!($open, $beside);
        $crate::spool_conformance!($open, $beside);
        $crate::conformance!(@ledger tls_results, $open, $beside:
            sessions_that_came_to_the_same_are_counted_together,
            however_much_comes_to_something_else_a_day_is_small_and_its_totals_are_right, each_report_is_made_once_whoever_makes_it);
        $crate::conformance!(@ledger ledger, $open, $beside:
            what_was_sent_is_known_when_it_has_left, each_failed_attempt_and_each_fate_is_known,
            a_late_record_tells_what_was_delivered_alone, what_was_done_is_known_whoever_tells_it_first,
            the_newest_come_first_in_pages_and_filters_narrow, a_message_is_named_by_the_beginning_of_its_ids,
            the_old_is_forgotten_with_all_that_belongs_to_it, where_it_is_not_kept_nothing_is_noted, what_was_handed_in_is_told_in_figures);
    };
    (@ledger $module:ident, $open:ident, $beside:ident: $($test:ident),*) => {
        mod $module { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let (store, _guard) = super::$open().await;
                let beside = super::$beside(&store).await;
                let (one, other) = ((store.spool(), store.ledger()), (beside.spool(), beside.ledger()));
                $crate::conformance::$module::$test(one.0, one.1, other.0, other.1).await;
            }
        )* }
    };
    (@one $database:ident, $open:ident, $module:ident: $($test:ident),*) => {
        mod $module { $(
            #[tokio::test]
            async fn $test() {
                let (store, _guard) = super::$open().await;
                $crate::conformance::$module::$test(store.$database()).await;
            }
        )* }
    };
    (@two $database:ident, $open:ident, $beside:ident, $module:ident: $($test:ident),*) => {
        mod $module { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let (store, _guard) = super::$open().await;
                let beside = super::$beside(&store).await;
                $crate::conformance::$module::$test(store.$database(), beside.$database()).await;
            }
        )* }
    };
}

/// The part of [`conformance!`](crate::conformance!) that is about accounts; of a store only `accounts()` is asked for.
#[macro_export]
macro_rules! accounts_conformance {
    ($open:ident, $beside:ident) => {
        $crate::conformance!(@one accounts, $open, accounts:
            an_account_comes_back_as_it_was_added, an_address_belongs_to_one_account, addresses_are_compared_in_their_normal_form,
            every_change_of_a_credential_bumps_the_version, changes_of_nobody_are_not_found, a_login_is_noted,
            the_login_of_a_removed_account_is_nothing_to_note, another_hash_of_the_same_password_changes_no_version,
            accounts_are_listed_by_address_in_pages, accounts_are_found_by_text_and_state, an_account_is_changed_whole_and_each_thing_is_told,
            the_last_administrator_stays_unless_whoever_takes_them_knows, accounts_that_nobody_uses_are_found,
            hashes_that_begin_otherwise_are_listed_page_by_page);
        $crate::conformance!(@one accounts, $open, app_passwords:
            one_look_up_finds_the_password_and_its_account, an_account_has_at_most_so_many, nobody_has_no_app_password,
            only_its_owner_gives_it_another_label, only_its_owner_revokes_it, a_revoked_one_is_known_as_such, a_removed_account_takes_its_app_passwords_along, a_use_is_noted, those_of_several_accounts_are_counted);
        $crate::conformance!(@one accounts, $open, certificates:
            one_look_up_finds_the_certificate_and_its_account, a_certificate_is_one_accounts, only_its_owner_removes_it,
            a_removed_account_takes_its_certificates_along, a_use_of_a_certificate_is_noted,
            changes_of_certificates_are_told);
        $crate::conformance!(@one accounts, $open, challenge_keys:
            an_app_password_comes_with_its_keys_or_not_at_all, an_account_comes_with_its_keys, the_newest_key_of_a_password_stands,
            a_key_is_kept_only_if_nothing_has_changed_since, keys_go_with_their_app_password,
            another_password_takes_its_own_keys_along, a_second_factor_takes_those_of_the_password_along, another_address_takes_what_it_salts_along,
            a_removed_account_takes_its_keys_along, it_is_known_what_there_are_keys_of,
            sealed_keys_come_behind_the_seeds_in_the_order_of_their_places, keys_are_resealed_where_they_lie);
        $crate::conformance!(@one accounts, $open, dkim_keys:
            a_key_comes_back_as_it_was_added, keys_are_listed_by_their_names_in_pages, of_a_domain_one_key_of_each_algorithm_signs,
            what_is_retired_signs_no_longer, what_is_wiped_is_no_secret_any_more, changes_of_keys_are_told,
            sealed_dkim_keys_come_last_and_are_resealed_where_they_lie);
        $crate::conformance!(@one accounts, $open, sts_policies:
            the_policy_that_was_fetched_last_stands, a_policy_stays_until_its_time_is_over_or_it_is_withdrawn, what_is_used_is_refreshed_after_a_day_or_half_its_time_in_pages);
        $crate::conformance!(@one accounts, $open, import:
            an_import_brings_all_that_belongs_to_an_account, an_import_is_done_whole_or_not_at_all,
            an_imported_app_password_is_found_by_its_selector_until_it_is_adopted,
            imported_hashes_are_listed_page_by_page_with_those_that_are_found_together);
        $crate::conformance!(@one accounts, $open, sealed:
            the_root_key_is_the_first_that_was_kept, it_is_known_whether_digests_are_keyed_already,
            sealed_secrets_come_in_the_order_of_their_places, what_has_changed_since_is_not_resealed);
        $crate::conformance!(@one accounts, $open, session_rights:
            the_rights_of_a_login_are_one_answer, what_is_taken_away_leaves_no_rights);
        $crate::conformance!(@one accounts, $open, second_factor:
            a_second_factor_is_on_once_it_is_confirmed, what_waits_is_replaced_and_what_is_on_is_not,
            switching_it_on_or_off_ends_what_was_proved_before, a_step_is_used_once_and_those_before_it_never, a_step_that_a_clock_ahead_has_used_keeps_nobody_out,
            a_recovery_code_is_used_once_by_its_owner, fresh_recovery_codes_replace_those_left,
            without_a_second_factor_its_recovery_codes_are_gone);
        $crate::conformance!(@one accounts, $open, audit:
            every_change_of_an_account_is_told, every_change_of_an_app_password_is_told, who_does_it_and_where_from_is_told,
            what_changes_nothing_is_not_told,
            an_entry_comes_back_as_it_was_noted, what_is_alike_within_an_hour_is_one_entry,
            the_newest_come_first_and_filters_narrow, the_first_login_from_each_address_is_known, the_old_is_forgotten, what_a_clock_ahead_has_told_is_forgotten_with_its_neighbours,
            an_account_that_logs_in_from_ever_new_addresses_is_a_bounded_number_of_entries,
            an_attack_with_ever_new_names_is_a_bounded_number_of_entries);
        $crate::conformance!(@one accounts, $open, pages:
            credentials_and_identities_come_in_pages, the_trail_comes_in_pages);
        $crate::conformance!(@one accounts, $open, throttle:
            a_window_begins_with_its_first_failure, a_clock_that_is_set_back_locks_nobody_out, the_same_failure_counts_once, looking_counts_nothing,
            a_network_may_try_so_many_accounts, if_one_is_used_up_none_of_them_counts,
            a_success_clears_its_counters_and_no_other,
            what_was_no_guess_is_taken_back_alone,
            keys_that_differ_in_anything_are_others, counters_are_listed_in_pages,
            operators_let_an_account_or_a_network_in, a_network_is_familiar_for_a_while_to_who_logged_in_there,
            what_has_ended_is_forgotten, what_a_clock_ahead_has_counted_is_forgotten);
        $crate::conformance!(@one accounts, $open, identity:
            identities_come_back_in_order_and_belong_to_one_account,
            the_domains_of_accounts_and_identities_are_told_once_each_and_in_order,
            the_same_sender_is_added_and_removed_once_however_it_is_written, changes_of_identities_are_told);
        $crate::conformance!(@one accounts, $open, sending:
            limits_of_its_own_are_of_one_account, a_change_of_a_limit_leaves_the_others_alone, what_is_sent_is_told_and_what_is_lent_is_not,
            what_is_lent_counts_until_it_is_given_back, a_window_is_known_again_however_exact_the_clock_is, a_window_has_nothing_of_the_one_before, who_was_sent_to_is_no_stranger,
            correspondents_are_forgotten_after_the_last_message, correspondents_of_a_clock_ahead_are_of_today,
            what_a_removed_account_has_sent_is_nothing_to_write, what_several_have_sent_is_told_at_once,
            accounts_are_found_by_their_limits_and_what_is_used_of_them);
        $crate::conformance!(@two accounts, $open, $beside, at_once:
            of_many_guesses_as_many_are_judged_as_may_be, one_code_is_good_once, of_administrators_who_take_each_other_away_one_is_left,
            of_a_limit_no_more_is_lent_than_there_is, of_many_that_seal_the_root_key_anew_one_does,
            what_is_resealed_is_seen_by_all_at_once, notes_in_whatever_order_are_all_written);
        $crate::conformance!(@two accounts, $open, $beside, sign_ins:
            the_first_login_is_known_and_each_new_place_is_asked_about, a_place_that_was_not_used_for_a_month_is_new,
            a_place_that_a_clock_ahead_has_noted_is_of_the_day_that_sees_it,
            what_was_the_owner_is_asked_about_no_more, what_was_a_stranger_is_revoked_with_all_sessions_at_once_and_once,
            another_password_ends_what_was_proved_before, incidents_are_looked_at_once_and_kept_until_then,
            an_account_has_a_bounded_number_of_places, what_an_owner_chooses_is_kept_and_proves_nothing_anew);
        $crate::conformance!(@two accounts, $open, $beside, web_sessions:
            one_look_up_finds_the_session_and_its_account, a_session_is_opened_for_the_account_as_it_is,
            of_an_account_the_oldest_session_goes, sessions_of_another_version_are_not_listed_and_go_with_the_next,
            a_renewed_session_has_another_token_and_no_longer_the_old_one,
            a_session_is_renewed_for_the_version_that_its_owner_has_made,
            a_session_is_ended_by_its_account_and_that_is_told, all_sessions_but_one_are_ended_or_all,
            what_is_over_is_forgotten, a_use_of_a_session_is_noted, sessions_do_not_move_the_revision);
        $crate::conformance!(@two accounts, $open, $beside, api_tokens:
            one_look_up_finds_the_token_and_its_account, an_account_has_at_most_so_many_tokens, a_token_is_revoked_by_its_account,
            what_becomes_of_tokens_is_told, a_use_of_a_token_is_noted, a_removed_account_takes_its_tokens_along, tokens_do_not_move_the_revision);
        $crate::conformance!(@two accounts, $open, $beside, idempotency:
            of_many_that_come_at_once_one_is_new, a_repeated_request_gets_the_first_answer, another_request_of_the_same_name_is_told_so,
            a_request_that_came_to_nothing_may_be_made_anew, a_request_whose_server_is_gone_is_begun_anew,
            requests_of_another_token_are_others, old_requests_are_forgotten);
        $crate::conformance!(@two accounts, $open, $beside, enrolments:
            a_link_comes_back_as_it_was_kept, a_link_is_kept_for_the_account_as_it_is,
            an_account_has_five_links_for_devices_that_are_open, an_invitation_takes_the_place_of_the_one_before,
            looking_at_a_link_changes_when_it_was_first_looked_at_alone, of_many_who_use_a_link_at_once_one_gets_its_app_password,
            a_link_is_good_until_its_end_its_withdrawal_or_a_change_of_the_account,
            a_link_that_makes_no_app_password_is_not_used_up, an_invitation_is_accepted_whole_and_once,
            an_invitation_leaves_the_second_factor_unless_it_is_lost, an_invitation_outlasts_changes_and_no_lock_out,
            links_are_forgotten_a_while_behind_their_end);
        $crate::conformance!(@two accounts, $open, $beside, webhooks:
            a_webhook_comes_back_as_it_was_added, there_are_at_most_so_many_webhooks, a_webhook_is_removed_with_its_deliveries,
            what_becomes_of_webhooks_is_told, the_trail_is_looked_through_once_from_when_there_is_a_webhook,
            a_trail_that_was_forgotten_is_looked_through_from_its_new_begin,
            a_due_delivery_is_leased_by_one_and_comes_back_after_a_while, what_came_of_an_attempt_is_written_down,
            no_more_wait_than_may, a_webhook_is_switched_off_and_on, deliveries_come_in_pages_and_are_forgotten,
            secrets_of_webhooks_come_last_and_are_resealed);
        $crate::conformance!(@two accounts, $open, $beside, revision:
            every_change_moves_the_revision, notes_do_not_move_the_revision);
    };
}

/// The part of [`conformance!`](crate::conformance!) that is about the queue; of a store only `spool()` is asked for.
#[macro_export]
macro_rules! spool_conformance {
    ($open:ident, $beside:ident) => {
        $crate::delivery_conformance!($open, $beside);
        $crate::conformance!(@one spool, $open, list:
            a_list_comes_in_pages, an_entry_tells_its_worst_recipient, entries_are_found_by_what_they_came_with,
            entries_are_found_by_one_of_their_recipients, entries_are_found_by_a_state_as_it_is_shown,
            an_entry_of_several_deliveries_is_found_once, several_entries_are_shown_at_once);
    };
}

/// What of a queue those rely on who deliver from it: all but that it can be searched.
#[macro_export]
macro_rules! delivery_conformance {
    ($open:ident, $beside:ident) => {
        $crate::conformance!(@one spool, $open, submit:
            what_is_committed_comes_back_octet_for_octet, an_empty_message_is_a_message, a_large_message_comes_back_in_chunks,
            nothing_is_visible_before_the_commit, an_id_is_used_once, a_message_can_be_leased_from_the_start,
            some_deliveries_of_a_message_can_be_leased_from_the_start, a_held_message_is_not_due,
            envelopes_come_back_as_they_were, how_a_message_came_and_what_its_sender_asked_come_back,
            by_when_and_how_soon_a_message_is_wanted_comes_back, what_its_sender_wants_of_tls_comes_back, a_message_does_not_leave_before_its_time,
            a_time_that_a_clock_ahead_has_told_is_not_waited_for, a_message_that_was_to_leave_in_the_past_is_due_at_once,
            an_operator_need_not_wait_for_a_message_to_leave);
        $crate::conformance!(@one spool, $open, lease:
            the_longest_waiting_come_first, the_most_urgent_come_before_those_that_wait_longer, a_delivery_has_one_owner_until_it_is_recorded,
            destinations_are_leased_apart_and_no_more_than_they_have_room_for,
            destinations_are_told_page_by_page,
            what_becomes_of_one_delivery_is_nothing_to_the_others, a_hold_is_one_of_all_deliveries,
            a_lease_that_is_given_back_is_due_at_once, recipients_go_another_way_if_their_route_has_changed,
            a_delivery_splits_if_its_recipients_go_different_ways,
            what_a_clock_ahead_has_set_is_brought_forward, what_waits_is_told_with_the_earliest);
        $crate::conformance!(@two spool, $open, $beside, nodes:
            who_has_joined_is_on_the_list_until_it_leaves_or_is_buried, each_node_tells_its_newest_master_key, two_nodes_never_lease_the_same,
            a_buried_node_has_lost_its_leases_and_gets_no_others, a_late_record_adds_delivered_and_nothing_else,
            a_late_record_ends_no_lease_of_another, a_late_record_that_all_have_it_is_true,
            nobody_keeps_a_lease_that_was_taken_while_it_was_buried, one_queue_takes_mail_through_both_handles,
            a_late_record_makes_no_report, a_success_is_told_by_who_records_it_first, a_record_that_is_repeated_makes_no_second_report,
            two_do_not_tell_the_same, a_report_that_is_not_true_of_everybody_is_not_kept);
        $crate::conformance!(@two spool, $open, $beside, duplicates:
            what_is_handed_in_again_is_the_first, it_is_known_for_its_time_alone, of_many_that_come_at_once_one_is_kept,
            it_is_known_when_the_first_has_left, what_failed_for_everybody_may_be_handed_in_again, what_failed_in_part_is_known,
            what_is_not_kept_is_not_known, what_is_taken_back_may_be_handed_in_again,
            what_came_behind_one_that_is_taken_back_is_known, what_a_clock_ahead_has_told_is_not_known_for_longer, what_an_operator_holds_is_not_stopped,
            it_is_taken_back_while_nothing_was_sent, what_is_stopped_is_gone_for_those_who_do_not_have_it);
        $crate::conformance!(@one spool, $open, outcome:
            an_entry_that_everybody_has_leaves, a_deferred_recipient_is_tried_again_alone, a_failed_recipient_stays_listed,
            no_outcome_gives_the_entry_back, a_held_recipient_waits_while_others_go_on, delivered_is_forever);
        $crate::conformance!(@one spool, $open, report:
            a_report_is_committed_with_what_it_tells, a_report_may_be_large, a_success_can_be_told_too,
            what_failed_and_was_told_is_settled, a_failure_that_nobody_was_told_of_stays_listed,
            what_is_settled_is_forgotten_in_time, what_failed_from_nobody_is_forgotten_in_time,
            who_was_told_is_known_when_it_is_tried_again, a_delay_is_told_once_of_each_recipient,
            who_has_it_is_recorded_while_others_are_tried, what_all_were_recorded_to_have_is_not_tried_again,
            others_are_not_tried_once_an_operator_says_no);
        $crate::conformance!(@one spool, $open, telling:
            news_is_told_together_once_nobody_else_is_tried_before, news_does_not_wait_for_somebody_who_is_slow,
            what_becomes_news_meanwhile_is_told_next, a_success_is_kept_until_it_is_told, who_is_late_with_others_is_told_with_them,
            who_was_told_of_as_late_with_others_is_not_told_of_again, news_is_told_by_the_time_that_was_set_first,
            what_an_operator_has_tried_again_is_no_news, an_operator_holds_returns_and_removes_what_is_untold,
            news_of_those_who_have_it_is_told_though_others_were_never_tried, a_time_that_a_clock_ahead_has_set_keeps_no_news);
        $crate::conformance!(@one spool, $open, operate:
            a_hold_lasts_until_it_is_released, a_hold_outlasts_the_running_attempt, a_retry_is_due_at_once,
            a_message_that_is_returned_is_due_and_says_so, a_removed_entry_is_gone,
            a_quarantine_tells_why, nobody_is_told_of_what_is_not_there, what_was_done_is_told_once_and_in_order,
            the_figures_add_up);
    };
}
