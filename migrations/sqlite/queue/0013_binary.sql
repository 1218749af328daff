-- Whether the text of a message is octets and not lines: it came as BODY=BINARYMIME (RFC 3030), and needs that on its way out.

ALTER TABLE entries ADD COLUMN binary_body INTEGER NOT NULL DEFAULT 0;
