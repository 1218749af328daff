// Makes the pictures of docs/, from a demo that it starts for them.
//
//     GATEPOST_BIN=target/release/gatepost NODE_MODULES=target/console/node_modules node tests/console/pictures.mjs
//
// Run it when pages have changed their look. Nothing compares the pictures: fonts differ from machine to machine.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { code } from './server.mjs';
import { Visitor, browser } from './visitor.mjs';

const binary = process.env.GATEPOST_BIN;
const pictures = fileURLToPath(new URL('../../docs/pictures', import.meta.url));
const wide = { scripts: true, width: 1100, scheme: 'light', name: 'wide' };

/** Whether a port is free. */
const isFree = (port) => new Promise((resolve) => {
  const server = createServer().once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
});

/** The first of three free ports in a row, which the demo wants. */
async function freePorts() {
  for (let port = 20000 + (process.pid % 20000); ; port += 3) {
    if (await isFree(port) && await isFree(port + 1) && await isFree(port + 2)) return port;
  }
}

/** Starts a demo in this directory; with what it prints: where its pages are, and who may look at them. */
async function demo(directory, port) {
  const child = spawn(binary, ['demo', '--dir', directory, '--port', String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (line.startsWith('swaks:')) break;
  }
  const all = (word) => said.filter((line) => line.startsWith(`  ${word} `)).map((line) => line.trim().split(/\s+/)[1]);
  const [appPassword, password, administrators] = all('password');
  const [user, administrator] = all('address');
  return { child, pages: all('pages')[0].replace(/\/$/, ''), appPassword, password, administrators, user, administrator, port };
}

/** Hands in a message as a mail program would. */
function send(server, directory, to, subject) {
  const text = join(directory, 'text');
  writeFileSync(text, 'As we said.\n');
  execFileSync(binary, ['send', '--to', to, '--from', server.user, '--host', 'localhost', '--port', String(server.port + 1), '--tls', 'implicit',
    '--ca', join(directory, 'demo', 'ca.pem'), '--user', server.user, '--password-stdin', '--subject', subject, '--text', text],
  { input: server.appPassword, stdio: ['pipe', 'ignore', 'inherit'] });
}

async function take(visitor, name) {
  await visitor.page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

async function ofUser(server) {
  const visitor = await Visitor.come(server.pages, wide);
  await visitor.signIn(server.user, server.password);
  await visitor.open('/account/second-factor');
  await visitor.press('Set up the second factor');
  await take(visitor, 'second-factor');
  const seed = (await visitor.page.locator('#seed').innerText()).replaceAll(' ', '');
  await visitor.type('Code', code(seed));
  await visitor.press('Switch it on');
  await visitor.open('/account/app-passwords/new');
  await visitor.type('Label', 'Thunderbird on laptop');
  await visitor.press('Make it');
  await take(visitor, 'app-password');
  await visitor.open('/account/messages');
  await visitor.page.locator('main h2 a').first().click();
  await visitor.page.waitForURL(/\/account\/messages\/./);
  await take(visitor, 'message');
  await visitor.open('/account');
  await take(visitor, 'account');
  await visitor.go();
}

async function ofAdministrator(server) {
  const visitor = await Visitor.come(server.pages, wide);
  await visitor.signIn(server.administrator, server.administrators);
  await visitor.open('/admin');
  await take(visitor, 'administration');
  await visitor.go();
}

const directory = mkdtempSync(join(tmpdir(), 'gatepost-pictures-'));
mkdirSync(pictures, { recursive: true });
const server = await demo(join(directory, 'demo'), await freePorts());
try {
  for (const subject of ['Minutes', 'Invoice', 'Holiday']) send(server, directory, 'friend@example.net', subject);
  await ofUser(server);
  await ofAdministrator(server);
} finally {
  server.child.kill('SIGTERM');
  await browser.close();
  rmSync(directory, { recursive: true });
}
