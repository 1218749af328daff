//! Scopes of API tokens, in words.

use types::Scope;

use crate::texts::Texts;

/// What a token may do with this scope.
pub(crate) fn words(scope: Scope, t: Texts) -> &'static str {
    match scope {
        Scope::AccountRead => t.scope_account_read(),
        Scope::AccountWrite => t.scope_account_write(),
        Scope::MessagesRead => t.scope_messages_read(),
        Scope::MessagesWrite => t.scope_messages_write(),
        Scope::AccountsRead => t.scope_accounts_read(),
        Scope::AccountsWrite => t.scope_accounts_write(),
        Scope::QueueRead => t.scope_queue_read(),
        Scope::QueueWrite => t.scope_queue_write(),
        Scope::ThrottlesRead => t.scope_throttles_read(),
        Scope::ThrottlesWrite => t.scope_throttles_write(),
        Scope::AuditRead => t.scope_audit_read(),
        Scope::DomainsRead => t.scope_domains_read(),
        Scope::DomainsWrite => t.scope_domains_write(),
        Scope::HealthRead => t.scope_health_read(),
        Scope::LimitsRead => t.scope_limits_read(),
        Scope::LimitsWrite => t.scope_limits_write(),
        Scope::WebhooksRead => t.scope_webhooks_read(),
        Scope::WebhooksWrite => t.scope_webhooks_write(),
        Scope::MetricsRead => t.scope_metrics_read(),
    }
}
