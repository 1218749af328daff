# Perl's Net::SMTP, with a header written by hand, or Email::Sender with Email::Simple (--sender).

use strict;
use warnings;

use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::SMTP;
use Email::Simple;
use JSON::PP;
use Net::SMTP;

my $asked = decode_json(do { local $/; <STDIN> });
my ($host, $port, $user, $password, $sender) = @ENV{qw(SMTP_HOST SMTP_PORT SMTP_USER SMTP_PASSWORD SMTP_FROM)};
my $implicit = $ENV{SMTP_TLS} eq 'implicit';
my $message  = $asked->{message};
utf8::encode($message);

if (@ARGV && $ARGV[0] eq '--sender') {
    my $transport = Email::Sender::Transport::SMTP->new({
        host          => $host,
        port          => $port,
        ssl           => $implicit ? 1 : 'starttls',
        ssl_options   => { SSL_ca_file => $ENV{SMTP_CA} },
        sasl_username => $user,
        sasl_password => $password,
    });
    eval { sendmail(Email::Simple->new($message), { transport => $transport, from => $sender, to => $asked->{to} }) } or die $@->message, "\n";
    exit;
}

my $client = Net::SMTP->new($host, Port => $port, SSL => $implicit, SSL_ca_file => $ENV{SMTP_CA}) or die "no connection: $@";
$implicit or $client->starttls(SSL_ca_file => $ENV{SMTP_CA}) or die 'STARTTLS: ', $client->message;
$client->auth($user, $password) or die 'AUTH: ', $client->message;
$client->mail($sender)          or die 'MAIL: ', $client->message;
$client->to(@{ $asked->{to} })  or die 'RCPT: ', $client->message;
$client->data                   or die 'DATA: ', $client->message;
$client->datasend($message);
$client->dataend or die 'the end: ', $client->message;
$client->quit;
