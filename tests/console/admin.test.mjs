// What administrators change, in a browser, and whatever strangers write that they see: how to run it, pages.test.mjs says.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { password, reluctantHost, start } from './server.mjs';
import { Visitor, browser, ways } from './visitor.mjs';

const [alice, root] = ['alice@example.org', 'root@example.org'];
const narrow = ways.filter((way) => way.width === 390);

// What a browser must never take for anything but text.
const image = '<img src=x onerror=alert(1)>';
const script = '"><script>alert(2)</script>';
const handler = "' autofocus onfocus='alert(3)";
const strange = `"${image}"@example.org`;

let host;
let server;

before(async () => {
  host = await reluctantHost(`451 4.7.1 ${image} ${script}`);
  server = await start([alice], { delivery: `via = "smtp://127.0.0.1:${host.port}"\ntls = "off"` });
  server.gatepost(['user', 'add', root, '--admin', '--password-stdin', '--allow-weak'], password);
  server.gatepost(['user', 'add', strange, '--name', script, '--password-stdin', '--allow-weak'], password);
  server.gatepost(['identity', 'add', alice, strange]);
  for (const label of [image, script, handler]) server.gatepost(['app-password', 'create', alice, '--label', label]);
  // A name that is no address is not kept.
  for (const text of [image, script, handler]) await server.knock(`"${text.replaceAll('"', '\\"')}"@example.net`);
  for (let number = 0; number < 5; number += 1) await server.knock(strange);
  await server.send(alice, 'friend@example.net', `<"${image}"@example.org>`);
});

after(async () => {
  await browser.close();
  await server.stop();
  host.close();
});

for (const way of narrow) {
  test(`an account, from its making to its end: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.signIn(root, password);
    await visitor.open('/admin/accounts');
    await visitor.press('New account');
    await visitor.type('Address', 'bob');
    await visitor.press('Make it');
    await visitor.look('an address that is none');
    assert.match(await visitor.text(), /Write an address/);
    await visitor.type('Address', 'bob@example.org');
    await visitor.type('Name', 'Bob');
    await visitor.press('Make it');
    await visitor.look('a new account');
    assert.match(await visitor.text(), /bob@example\.org is made/);

    await visitor.press('Change');
    await visitor.type('Name', 'Robert');
    await visitor.press('Save');
    assert.match(await visitor.text(), /It is changed/);

    await visitor.press('Change identities');
    await visitor.type('Sender', '*@example.net');
    await visitor.press('Allow it');
    await visitor.look('an identity');
    await visitor.press('Take away *@example.net');
    assert.match(await visitor.text(), /As itself alone/);

    await visitor.press('bob@example.org');
    await visitor.press('Change limits');
    await visitor.type('Messages in an hour', 'many');
    await visitor.press('Save');
    await visitor.look('a limit that is none');
    await visitor.type('Messages in an hour', '5');
    await visitor.press('Save');
    assert.match(await visitor.text(), /Messages in an hour: 0 of 5/);

    await visitor.press('Make one for a device');
    await visitor.type('Label', 'Printer');
    await visitor.press('Make it');
    await visitor.look('the password, once');
    await visitor.press('I have put it in');
    await visitor.press('Revoke Printer');
    await visitor.look('whether to revoke');
    await visitor.press('Revoke Printer');
    assert.match(await visitor.text(), /Printer is revoked/);

    await visitor.press('Disable');
    await visitor.press('Disable bob@example.org');
    await visitor.look('a disabled account');
    await visitor.press('Enable');
    assert.match(await visitor.text(), /may log in again/);
    await visitor.press('Remove');
    await visitor.type('The address of the account', 'bob');
    await visitor.press('Remove bob@example.org');
    await visitor.look('an address that is not its own');
    await visitor.type('The address of the account', 'bob@example.org');
    await visitor.press('Remove bob@example.org');
    assert.match(await visitor.text(), /bob@example\.org is removed/);
    await visitor.go();
  });

  test(`messages are chosen, and somebody is asked: ${way.name}`, async () => {
    for (let number = 0; number < 2; number += 1) await server.send(alice, `friend${number}@example.com`);
    const visitor = await Visitor.come(server.pages, way);
    await visitor.signIn(root, password);
    await visitor.open('/admin/queue?recipient_domain=example.com');
    const boxes = visitor.page.locator('input[form=bulk]');
    assert.equal(await boxes.count(), 2);
    await boxes.first().check();
    await visitor.press('Hold these');
    await visitor.look('the question about one');
    assert.match(await visitor.text(), /Hold 1 message\?/);
    await visitor.press('Hold');
    assert.match(await visitor.text(), /Done to 1 message\./);
    await visitor.page.getByLabel('All that match, on every page', { exact: true }).check();
    await visitor.press('Remove these');
    await visitor.look('the question about all');
    assert.match(await visitor.text(), /Remove 2 messages\?/);
    await visitor.press('Remove for good');
    assert.match(await visitor.text(), /Done to 2 messages\./);
    assert.match(visitor.page.url(), /recipient_domain=example\.com/);
    await visitor.go();
  });
}

for (const way of [ways.find((way) => way.scripts), ways.find((way) => way.scripts && way.width === 320)]) {
  test(`what strangers write stays text: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way, { userAgent: image });
    await visitor.signIn(root, password);
    const account = (address) => `/admin/accounts/${encodeURIComponent(address)}`;
    const [message] = JSON.parse(server.gatepost(['queue', 'list', '--account', alice, '--json']));
    const passwords = JSON.parse(server.gatepost(['app-password', 'list', alice, '--json']));
    const paths = [
      '/admin', '/admin/accounts', account(alice), account(strange), '/admin/queue', `/admin/queue?account=${encodeURIComponent(script)}`,
      '/admin/queue/ask/remove?all=yes', '/admin/messages', `/admin/messages/${message.id}`, `/admin/messages/${message.id}/stop`,
      '/admin/locked-out', '/admin/limits', '/admin/audit', `/admin/audit?account=${encodeURIComponent(handler)}&actor=${encodeURIComponent(script)}`,
      ...['change', 'disable', 'remove', 'identities', 'limits', 'app-passwords/new'].map((verb) => `${account(strange)}/${verb}`),
      `${account(alice)}/identities`, ...passwords.map(({ id }) => `${account(alice)}/app-passwords/${id}/revoke`), '/account/sessions',
    ];
    for (const path of paths) {
      await visitor.open(path);
      assert.equal(await visitor.page.locator('main img, main script, [onerror], [onfocus]').count(), 0, path);
      await visitor.look(path);
    }
    await visitor.open('/admin/audit');
    for (const text of [image, script.slice(1), handler]) assert.ok((await visitor.text()).includes(text), text);
    await visitor.open(account(alice));
    for (const text of [image, script, handler]) assert.ok((await visitor.text()).includes(text), text);
    await visitor.open('/admin/queue');
    assert.ok((await visitor.text()).includes(image));
    await visitor.go();
  });
}
