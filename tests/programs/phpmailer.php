<?php

// PHPMailer, as its README has it.

require 'libphp-phpmailer/autoload.php';

use PHPMailer\PHPMailer\PHPMailer;

$asked = json_decode(stream_get_contents(STDIN), true);
$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host = getenv('SMTP_HOST');
$mail->Port = (int) getenv('SMTP_PORT');
$mail->SMTPSecure = getenv('SMTP_TLS') === 'implicit' ? PHPMailer::ENCRYPTION_SMTPS : PHPMailer::ENCRYPTION_STARTTLS;
$mail->SMTPOptions = ['ssl' => ['cafile' => getenv('SMTP_CA')]];
$mail->SMTPAuth = true;
$mail->Username = getenv('SMTP_USER');
$mail->Password = getenv('SMTP_PASSWORD');
$mail->CharSet = PHPMailer::CHARSET_UTF8;
$mail->setFrom(getenv('SMTP_FROM'), $asked['name'] ?? '');
foreach ($asked['to'] as $recipient) {
    $mail->addAddress($recipient);
}
$mail->Subject = $asked['subject'];
$mail->Body = $asked['body'];
try {
    $mail->send();
} catch (Exception $error) {
    fwrite(STDERR, $error->getMessage() . ' ' . json_encode($mail->getSMTPInstance()->getError()));
    exit(1);
}
