// Pages in a browser, each in each of its states and each way to look at it.
//
//     GATEPOST_BIN=target/debug/gatepost NODE_MODULES=target/console/node_modules node --test tests/console/*.test.mjs
//
// tests/run does that. A console error, a report about the Content Security Policy, a request to anywhere else, a page that scrolls sideways,
// and whatever axe finds against WCAG 2.2 AA, fails.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { code, password, start } from './server.mjs';
import { Visitor, browser, ways } from './visitor.mjs';

const [alice, carol, root] = ['alice@example.org', 'carol@example.org', 'root@example.org'];
let server;
let seed;

before(async () => {
  server = await start([alice, carol]);
  server.gatepost(['user', 'add', root, '--admin', '--password-stdin', '--allow-weak'], password);
  await server.send(alice, 'friend@example.net');
  seed = JSON.parse(server.gatepost(['totp', 'enroll', carol, '--json'])).secret;
  server.gatepost(['totp', 'confirm', carol, code(seed)]);
});

after(async () => {
  await browser.close();
  await server.stop();
});

for (const way of ways) {
  test(`signing in, looking around, signing out: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.open('/');
    await visitor.look('the page to sign in');
    assert.match(visitor.page.url(), /\/sign-in$/);
    await visitor.signIn(alice, 'nonsense');
    await visitor.look('a wrong password');
    assert.match(await visitor.text(), /do not belong together/);
    assert.equal(await visitor.page.getByLabel('Address', { exact: true }).inputValue(), alice);
    assert.equal(await visitor.page.getByLabel('Password', { exact: true }).inputValue(), '');
    await visitor.signIn(alice, password);
    await visitor.look('the overview');
    assert.match(await visitor.text(), /You are signed in as alice@example\.org/);
    await visitor.press('Sign out');
    assert.match(visitor.page.url(), /\/sign-in$/);
    await visitor.open('/account');
    assert.match(visitor.page.url(), /\/sign-in$/);
    await visitor.go();
    server.gatepost(['throttle', 'clear', alice]);
  });

  test(`problems have pages, too: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.open('/nowhere');
    await visitor.look('no such page');
    assert.match(await visitor.text(), /There is no such page/);
    await visitor.go();
  });
}

for (const way of ways.filter((way) => way.width === 390)) {
  test(`the code of a second factor has a page of its own: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.signIn(carol, password);
    await visitor.look('the page for the code');
    await visitor.type('Code', '000000');
    await visitor.press('Sign in');
    await visitor.look('a wrong code');
    assert.match(await visitor.text(), /This code is not right/);
    await visitor.go();
    server.gatepost(['throttle', 'clear', carol]);
  });
}

for (const way of ways) {
  test(`administration: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.signIn(root, password);
    await visitor.press('Administration');
    await visitor.look('the overview of administration');
    for (const name of ['Accounts', 'Queue', 'Sent messages', 'Sending limits', 'Locked out', 'Domains', 'Audit trail', 'Health', 'Webhooks']) {
      await visitor.press(name);
      await visitor.look(name);
    }
    await visitor.press('New webhook');
    await visitor.look('a new webhook');
    await visitor.open(`/admin/accounts/${alice}`);
    await visitor.look('an account');
    await visitor.open('/admin/domains/example.org');
    await visitor.look('a domain, before the DNS is asked');
    await visitor.press('New DKIM key');
    await visitor.look('a new key');
    await visitor.open('/admin/queue?older_than=soon');
    await visitor.look('a filter that is not understood');
    const account = `/admin/accounts/${encodeURIComponent(alice)}`;
    const below = ['change', 'disable', 'remove', 'identities', 'limits', 'app-passwords/new'];
    const others = ['accounts/new', 'accounts?unused=yes', 'queue/ask/bounce?all=yes', 'limits?which=own', 'audit?network=here'];
    for (const path of [...below.map((verb) => `${account}/${verb}`), ...others.map((path) => `/admin/${path}`)]) {
      await visitor.open(path);
      await visitor.look(path);
    }
    await visitor.press('Your account');
    await visitor.press('Sent messages');
    await visitor.look('no messages');
    await visitor.go();
  });

  test(`what was sent: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.signIn(alice, password);
    await visitor.press('Sent messages');
    await visitor.look('the list');
    await visitor.page.locator('main h2 a').first().click();
    await visitor.page.waitForURL(/\/account\/messages\/./);
    await visitor.look('a message');
    assert.match(await visitor.text(), /friend@example\.net/);
    await visitor.go();
  });
}

test('by keyboard alone', async () => {
  const visitor = await Visitor.come(server.pages, ways[0]);
  await visitor.open('/sign-in');
  await visitor.walk('the page to sign in');
  await visitor.open('/sign-in');
  await visitor.page.getByLabel('Address', { exact: true }).focus();
  await visitor.page.keyboard.type(alice);
  await visitor.page.keyboard.press('Tab');
  await visitor.page.keyboard.type(password);
  const behind = visitor.page.waitForNavigation();
  await visitor.page.keyboard.press('Enter');
  await behind;
  assert.match(visitor.page.url(), /\/account$/);
  await visitor.walk('the overview');
  await visitor.go();
});
