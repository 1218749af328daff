//! What was done to an account, in words for its owner.

use store::Action;

use crate::texts::Texts;

/// What was done, by its name in the trail. What has no words here is about no account, and is shown by its name.
pub(crate) fn words(name: &'static str, t: Texts) -> &'static str {
    let Ok(action) = name.parse::<Action>() else { return name };
    match action {
        Action::Login => t.signed_in(),
        Action::SignOut => t.did_sign_out(),
        Action::SessionEnd => t.did_end_session(),
        Action::SignInAnswer => t.did_answer_me(),
        Action::Incident => t.did_answer_not_me(),
        Action::IncidentClose => t.did_close_incident(),
        Action::UserAdd | Action::UserImport => t.did_add_account(),
        Action::UserRename => t.did_rename(),
        Action::UserDisable => t.did_disable(),
        Action::UserEnable => t.did_enable(),
        Action::UserLimit => t.did_limit(),
        Action::UserUndo | Action::UserSettings => t.did_settings(),
        Action::PasswordSet => t.did_set_password(),
        Action::PasswordRehash => t.did_rehash(),
        Action::AppPasswordCreate => t.did_make_app_password(),
        Action::AppPasswordRelabel => t.did_relabel(),
        Action::AppPasswordRevoke => t.did_revoke(),
        Action::TokenCreate => t.did_make_token(),
        Action::TokenRevoke => t.did_revoke_token(),
        Action::WebhookAdd => t.did_add_webhook(),
        Action::WebhookRemove => t.did_remove_webhook(),
        Action::EnrolmentMake => t.did_make_link(),
        Action::EnrolmentUse => t.did_use_link(),
        Action::EnrolmentWithdraw => t.did_withdraw_link(),
        Action::InvitationMake => t.did_invite(),
        Action::InvitationUse => t.did_accept(),
        Action::AppPasswordAdopt => t.did_adopt(),
        Action::CertificateAdd => t.did_add_certificate(),
        Action::CertificateRemove => t.did_remove_certificate(),
        Action::TotpEnroll => t.did_prepare_second_factor(),
        Action::TotpConfirm => t.did_switch_on(),
        Action::TotpDisable => t.did_switch_off(),
        Action::RecoveryCodes => t.did_make_codes(),
        Action::RecoveryCodeUse => t.did_use_code(),
        Action::IdentityAdd => t.did_add_identity(),
        Action::IdentityRemove => t.did_remove_identity(),
        Action::ThrottleClear => t.did_let_in(),
        Action::SendAsAny => t.did_send_as_any(),
        Action::MessageUndo => t.did_undo(),
        Action::MessageStop => t.did_stop(),
        Action::QueueRetry => t.did_retry(),
        Action::QueueHold => t.did_hold(),
        Action::QueueRelease => t.did_release(),
        Action::QueueBounce => t.did_bounce(),
        Action::QueueRemove => t.did_remove(),
        _ => name,
    }
}
