-- What the sender of a message wants of TLS on its way.

ALTER TABLE entries ADD COLUMN tls_required TEXT; -- yes: REQUIRETLS, no: TLS-Required: No (RFC 8689); NULL: nothing was said
