# Readers from CPAN, as programs in Perl use them; README.md tells what is asked and answered.

use strict;
use warnings;

use Email::Address;
use Email::Address::XS qw(parse_email_addresses);
use Encode qw(decode encode);
use JSON::PP;
use Mail::Address;
use Mail::Message;
use Mail::Message::Field::Full;

# A pattern of Email::Address takes time without end on some fields (CVE-2015-7686): such a field shows nobody then.
my $PATIENCE = 5;

my %readers = (
    'Email::Address'                => sub { map { [$_->address, $_->phrase] } Email::Address->parse($_[0]{text}) },
    'Email::Address, decoded first' => sub { map { [$_->address, $_->phrase] } Email::Address->parse(decoded($_[0]{text})) },
    'Email::Address::XS'            => sub { mailboxes($_[0]{text}) },
    'Email::Address::XS, decoded first' => sub { mailboxes(decoded($_[0]{text})) },
    'Mail::Address'                     => sub { commented(Mail::Address->parse($_[0]{text})) },
    'Mail::Address, decoded first'      => sub { commented(Mail::Address->parse(decoded($_[0]{text}))) },
    'Mail::Message::Field::Addresses'   => sub {
        my $field = Mail::Message::Field::Full->new($_[0]{name}, $_[0]{text});
        map { [$_->address, $_->phrase] } $field->addresses;
    },
);

sub commented { map { [$_->address, join ' ', grep { length } $_->phrase, $_->comment] } @_ }

sub mailboxes { map { [$_->address, $_->phrase] } parse_email_addresses($_[0]) }

sub decoded { decode('MIME-Header', $_[0]) }

sub shown {
    my ($text) = @_;
    return eval { decoded($text) } // $text;
}

sub answer {
    my ($reader, $question) = @_;
    my @entries;
    my $well = eval {
        local $SIG{ALRM}    = sub { die "takes too long\n" };
        local $SIG{__WARN__} = sub { };
        alarm $PATIENCE;
        @entries = $readers{$reader}->($question);
        alarm 0;
        1;
    };
    alarm 0;
    return { addresses => [], names => [], error => "$@" } unless $well;
    return {
        addresses => [map { "$_->[0]" } grep { defined $_->[0] } @entries],
        names     => [map { shown("$_->[1]") } grep { defined $_->[1] } @entries],
    };
}

my $json = JSON::PP->new->canonical->ascii;
$| = 1;
while (my $line = <STDIN>) {
    my $question = decode_json($line);
    my $octets   = encode('latin1', $question->{field});
    ($question->{text} = eval { decode('UTF-8', $octets, Encode::FB_CROAK | Encode::LEAVE_SRC) } // decode('latin1', $octets)) =~ s/\r\n//g;
    $question->{text} =~ s/^\s+|\s+$//g;
    for my $reader (sort keys %readers) {
        my $answer = answer($reader, $question);
        print $json->encode({ id => $question->{id}, reader => $reader, %$answer }), "\n";
    }
}
