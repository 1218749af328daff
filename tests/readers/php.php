<?php

// Readers in PHP, as programs use them; README.md tells what is asked and answered.

// What a raw field is taken for: UTF-8, else ISO-8859-1.
function text(string $octets): string
{
    $text = mb_check_encoding($octets, 'UTF-8') ? $octets : mb_convert_encoding($octets, 'UTF-8', 'ISO-8859-1');
    return trim(str_replace("\r\n", '', $text));
}

// c-client's parser, which Alpine has, too.
function by_imap(string $text): array
{
    $shown = [];
    foreach (imap_rfc822_parse_adrlist($text, 'no.domain.invalid') as $entry) {
        // A group begins by an entry without a host and ends by an empty one.
        if (isset($entry->mailbox, $entry->host)) {
            $shown[] = ["$entry->mailbox@$entry->host", by_utf8($entry->personal ?? '')];
        }
    }
    return understood($shown);
}

function by_mailparse(string $text): array
{
    $shown = [];
    foreach (mailparse_rfc822_parse_addresses($text) as $entry) {
        $shown[] = [$entry['address'], by_utf8($entry['display'])];
    }
    return $shown;
}

function by_headers(string $octets): array
{
    $shown = [];
    // It would take lines of the body for fields.
    $header = substr($octets, 0, strpos($octets . "\r\n\r\n", "\r\n\r\n") + 2);
    foreach (imap_rfc822_parse_headers($header)->from ?? [] as $entry) {
        if (isset($entry->mailbox, $entry->host)) {
            $shown[] = ["$entry->mailbox@$entry->host", by_utf8($entry->personal ?? '')];
        }
    }
    return understood($shown);
}

// Without what it says in the place of an address that it could not read.
function understood(array $shown): array
{
    imap_errors();
    imap_alerts();
    return array_values(array_filter($shown, fn ($entry) => !str_ends_with($entry[0], '@.SYNTAX-ERROR.')));
}

function by_utf8(string $text): string
{
    return imap_utf8($text);
}

function by_iconv(string $text): string
{
    return iconv_mime_decode($text, ICONV_MIME_DECODE_CONTINUE_ON_ERROR, 'UTF-8') ?: '';
}

$readers = [
    'PHP imap_rfc822_parse_adrlist' => fn ($asked) => by_imap($asked['text']),
    'PHP imap_rfc822_parse_adrlist, iconv_mime_decode first' => fn ($asked) => by_imap(by_iconv($asked['text'])),
    'PHP imap_rfc822_parse_adrlist, mb_decode_mimeheader first' => fn ($asked) => by_imap(mb_decode_mimeheader($asked['text'])),
    'PHP imap_rfc822_parse_adrlist, imap_utf8 first' => fn ($asked) => by_imap(by_utf8($asked['text'])),
    'PHP imap_rfc822_parse_headers' => fn ($asked) => strtolower($asked['name']) === 'from' ? by_headers($asked['octets']) : [],
    'PHP mailparse_rfc822_parse_addresses' => fn ($asked) => by_mailparse($asked['text']),
    'PHP mailparse_rfc822_parse_addresses, iconv_mime_decode first' => fn ($asked) => by_mailparse(by_iconv($asked['text'])),
    'PHP mailparse_rfc822_parse_addresses, mb_decode_mimeheader first' => fn ($asked) => by_mailparse(mb_decode_mimeheader($asked['text'])),
];

error_reporting(0);
mb_internal_encoding('UTF-8');
while (($line = fgets(STDIN)) !== false) {
    $question = json_decode($line, true);
    $asked = [
        'name' => $question['name'],
        'text' => text(mb_convert_encoding($question['field'], 'ISO-8859-1', 'UTF-8')),
        'octets' => mb_convert_encoding($question['message'], 'ISO-8859-1', 'UTF-8'),
    ];
    foreach ($readers as $reader => $read) {
        try {
            $entries = $read($asked);
            $answer = ['addresses' => array_column($entries, 0), 'names' => array_values(array_filter(array_column($entries, 1)))];
        } catch (Throwable $error) {
            $answer = ['addresses' => [], 'names' => [], 'error' => $error->getMessage()];
        }
        echo json_encode(['id' => $question['id'], 'reader' => $reader] + $answer, JSON_INVALID_UTF8_SUBSTITUTE), "\n";
    }
}
