// nodemailer with `raw`: a message that a program has written itself.

const { createRequire } = require('node:module');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const { SMTP_HOST, SMTP_PORT, SMTP_TLS, SMTP_CA, SMTP_USER, SMTP_PASSWORD, SMTP_FROM, NODE_MODULES } = process.env;
const nodemailer = createRequire(join(NODE_MODULES, 'here.js'))('nodemailer');
const { to, message, bit8 } = JSON.parse(readFileSync(0, 'utf8'));

const transport = nodemailer.createTransport({
  host: SMTP_HOST,
  port: Number(SMTP_PORT),
  secure: SMTP_TLS === 'implicit',
  requireTLS: true,
  tls: { ca: readFileSync(SMTP_CA) },
  auth: { user: SMTP_USER, pass: SMTP_PASSWORD },
});
transport.sendMail({ envelope: { from: SMTP_FROM, to, use8BitMime: bit8 }, raw: message }).then(
  ({ response }) => console.log(response),
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
