// A next host for tests/blackbox/smtp_server.rs: nodemailer's smtp-server on a port of this machine.
//
//   node smtp-server.mjs CERTIFICATE KEY smtp|lmtp
//
// It has STARTTLS, and in SMTP it wants the login of `gatepost` after that. It prints its port, then each message as a line of JSON. Of its
// recipients `gone@` is unknown, and in LMTP, where the text is answered for each, `full@` has no room for it.

import { readFileSync } from 'node:fs';
import { SMTPServer } from 'smtp-server';

const [certificate, key, protocol] = process.argv.slice(2);

const error = (responseCode, message) => Object.assign(new Error(message), { responseCode });

const known = ({ address }, { secure }) => {
  if (!secure) return error(530, '5.7.0 first STARTTLS');
  return address.startsWith('gone@') ? error(550, '5.1.1 nobody of that name') : null;
};

const kept = ({ address }) => (address.startsWith('full@') ? error(552, '5.2.2 no room') : '2.0.0 kept');

const server = new SMTPServer({
  name: 'next.example',
  cert: readFileSync(certificate),
  key: readFileSync(key),
  lmtp: protocol === 'lmtp',
  authOptional: protocol === 'lmtp',
  size: 1024 * 1024,
  onAuth: ({ username, password }, session, done) =>
    username === 'gatepost' && password === 'to the next' ? done(null, { user: username }) : done(error(535, '5.7.8 no')),
  onRcptTo: (path, session, done) => done(known(path, session)),
  onData: (stream, session, done) => {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      const { mailFrom, rcptTo } = session.envelope;
      console.log(JSON.stringify({
        from: mailFrom.address,
        to: rcptTo.map((path) => path.address),
        user: session.user ?? null,
        text: Buffer.concat(chunks).toString('base64'),
      }));
      done(null, protocol === 'lmtp' ? rcptTo.map(kept) : '2.0.0 kept');
    });
  },
});
// Connections that a client breaks off.
server.on('error', () => {});
server.listen(0, '127.0.0.1', () => console.log(server.server.address().port));
