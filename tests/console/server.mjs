// The real binary in a directory of its own, with pages in clear on loopback.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const binary = process.env.GATEPOST_BIN;

export const password = 'correct horse';

/** Starts a server with these accounts, and these sections more; `pages` is where its pages are, `mail` the port for mail. */
export async function start(accounts, { submission = '', delivery = 'via = "hold"', more = '' } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'gatepost-console-'));
  const file = join(directory, 'gatepost.toml');
  writeFileSync(file, `
hostname = "mail.example.org"
[storage]
url = "sqlite:store"
master_key_file = "master.key"
[[listen]]
address = "127.0.0.1:0"
tls = "off"
[auth]
allow_insecure = true
[submission]
${submission}
[delivery]
${delivery}
[web]
base_url = "https://mail.example.org"
organisation = "Example Org"
admin_needs_second_factor = false
help = "mailto:help@example.org"
page_rate = 100000
[[web.listen]]
address = "127.0.0.1:0"
tls = "off"
${more}`);
  const gatepost = (arguments_, input = '') =>
    execFileSync(binary, ['--config', file, ...arguments_], { cwd: directory, input, stdio: ['pipe', 'pipe', 'inherit'] }).toString();
  gatepost(['key', 'generate', join(directory, 'master.key')]);
  for (const address of accounts) gatepost(['user', 'add', address, '--password-stdin', '--allow-weak'], password);
  const child = spawn(binary, ['--config', file, 'serve'], { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  const [mail, pages] = await new Promise((resolve, reject) => {
    const lines = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      const found = line.includes('event=ready') && line.match(/127\.0\.0\.1:(\d+)\/off .*?(127\.0\.0\.1:\d+)\/http\b/);
      if (found) resolve([Number(found[1]), `http://${found[2]}`]);
    });
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}:\n${lines.join('\n')}`)));
  });
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true });
  };
  const send = (from, to, messageId) => handIn(mail, from, to, messageId);
  const knock = (name) => tryToLogIn(mail, name);
  return { pages, mail, gatepost, send, knock, stop };
}

/** Hands in a message, and waits until it is in the queue. */
async function handIn(port, from, to, messageId) {
  const login = Buffer.from(`\0${from}\0${password}`).toString('base64');
  const named = messageId ? `Message-ID: ${messageId}\r\n` : '';
  const says = ['EHLO localhost', `AUTH PLAIN ${login}`, `MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, 'DATA',
    `From: ${from}\r\n${named}Subject: a test\r\n\r\nHello.\r\n.`, 'QUIT'];
  const socket = connect(port, '127.0.0.1');
  const replies = createInterface({ input: socket, crlfDelay: Infinity });
  for await (const reply of replies) {
    if (!/^[23]/.test(reply)) throw new Error(reply);
    if (reply[3] !== '-' && says.length > 0) socket.write(`${says.shift()}\r\n`);
  }
}

/** Tries to log in by this name, which is refused. */
async function tryToLogIn(port, name) {
  const says = ['EHLO localhost', `AUTH PLAIN ${Buffer.from(`\0${name}\0wrong`).toString('base64')}`, 'QUIT'];
  const socket = connect(port, '127.0.0.1');
  for await (const reply of createInterface({ input: socket, crlfDelay: Infinity })) {
    if (reply[3] !== '-' && says.length > 0) socket.write(`${says.shift()}\r\n`);
  }
}

/** A mail host that puts each recipient off with this reply. */
export async function reluctantHost(reply) {
  const host = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('220 mail.example.net ESMTP\r\n');
    createInterface({ input: socket, crlfDelay: Infinity }).on('line', (line) => {
      const verb = line.slice(0, 4).toUpperCase();
      socket.write(verb === 'RCPT' ? `${reply}\r\n` : verb === 'DATA' ? '503 5.5.1 no\r\n' : verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
    });
  });
  await new Promise((resolve) => host.listen(0, '127.0.0.1', resolve));
  return { port: host.address().port, close: () => host.close() };
}

/** The code that an authenticator shows now (RFC 6238), by the machine's own Python. */
export function code(secret) {
  const program = `import sys,hmac,base64,struct,time,hashlib
k=base64.b32decode(sys.argv[1]+'='*(-len(sys.argv[1])%8))
d=hmac.new(k,struct.pack('>Q',int(time.time())//30),hashlib.sha1).digest()
o=d[-1]&15;print('%06d'%((struct.unpack('>I',d[o:o+4])[0]&0x7fffffff)%10**6))`;
  return execFileSync('python3', ['-c', program, secret]).toString().trim();
}
