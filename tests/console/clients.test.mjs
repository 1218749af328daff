// What people read who set up a mail program, in a browser: how to run it, pages.test.mjs says.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { password, start } from './server.mjs';
import { Visitor, browser, ways } from './visitor.mjs';

const directory = mkdtempSync(join(tmpdir(), 'gatepost-certificate-'));
const visitors = ways.map((way, number) => ({ way, address: `user${number}@example.org` }));
let server;

/** A port that nobody listens on: programs are told of no port that is another at each start. */
async function freePort() {
  const listener = createServer();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

before(async () => {
  const [certificate, key] = ['certificate.pem', 'key.pem'].map((name) => join(directory, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=mail.example.org',
    '-addext', 'subjectAltName=DNS:mail.example.org', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  server = await start(visitors.map(({ address }) => address), { more: `
[web.clients]
domains = ["example.org"]
imap = "imaps://imap.example.org"
[tls]
certificate = "${certificate}"
private_key = "${key}"
[[listen]]
address = "127.0.0.1:${await freePort()}"
tls = "implicit"
` });
});

after(async () => {
  await browser.close();
  await server.stop();
  rmSync(directory, { recursive: true });
});

for (const { way, address } of visitors) {
  test(`setting up a mail program: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.open('/sign-in');
    await visitor.press('How to set up your mail program');
    await visitor.look('the settings');
    assert.match(await visitor.text(), /imap\.example\.org/);
    const closed = visitor.page.locator('details:not([open]) summary');
    while (await closed.count() > 0) await closed.first().click();
    await visitor.look('the settings, for each program');
    assert.match(await visitor.text(), /tls_starttls off/);
    await visitor.go();
  });

  test(`a profile for a phone: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.signIn(address, password);
    await visitor.open('/account/app-passwords/new');
    await visitor.type('Label', 'phone');
    await visitor.press('Make it');
    await visitor.look('the password, with a profile');
    const letters = (await visitor.page.locator('#letters').innerText()).replace(/\s/g, '');
    const download = visitor.page.waitForEvent('download');
    await visitor.page.getByRole('button', { name: 'Get the profile' }).click();
    const profile = await download;
    assert.equal(profile.suggestedFilename(), 'gatepost.mobileconfig');
    assert.ok(readFileSync(await profile.path()).includes(letters));
    await visitor.look('the password is still there');
    await visitor.go();
  });
}
