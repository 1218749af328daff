// Links that set up a device or an account, in a browser: how to run it, pages.test.mjs says.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { code, password, start } from './server.mjs';
import { Visitor, browser, ways } from './visitor.mjs';

const root = 'root@example.org';
const visitors = ways.map((way, number) => ({ way, address: `user${number}@example.org` }));
let server;

before(async () => {
  server = await start(visitors.map(({ address }) => address));
  server.gatepost(['user', 'add', root, '--admin', '--password-stdin', '--allow-weak'], password);
});

after(async () => {
  await browser.close();
  await server.stop();
});

const pathOf = (link) => new URL(link).pathname;

for (const { way, address } of visitors) {
  test(`a device, from the wish to its password: ${way.name}`, async () => {
    const owner = await Visitor.come(server.pages, way);
    await owner.signIn(address, password);
    await owner.look('the first steps of a new account');
    await owner.press('Set up a device');
    await owner.look('a wish for a device');
    await owner.type('Label', 'Telephone of a very long name that has to be broken somewhere');
    await owner.press('Make the link');
    await owner.look('a link that waits');
    const page = owner.page.url();
    const link = pathOf(await owner.page.locator('#link').innerText());
    await owner.open('/account/app-passwords');
    await owner.look('links that wait');

    const device = await Visitor.come(server.pages, way);
    await device.open(link);
    await device.look('the page of a link');
    await device.walk('the page of a link');
    await device.press('Set up this device');
    await device.look('the password on the device');
    assert.match(await device.text(), /never again/);
    await device.open(link);
    await device.look('a link that this browser has used');
    assert.match(await device.text(), /This link was used/);
    await device.go();

    await owner.open(page);
    await owner.look('a link that was used');
    assert.match(await owner.text(), /Used by/);
    await owner.open('/account/devices/new');
    await owner.type('Label', 'Tablet');
    await owner.press('Make the link');
    const other = owner.page.url();
    await owner.press('Withdraw the link');
    assert.match(await owner.text(), /The link for Tablet is withdrawn/);
    await owner.open(other);
    await owner.look('a link that was withdrawn');
    await owner.go();
  });

  test(`an invitation, from the link to the second factor: ${way.name}`, async () => {
    const admin = await Visitor.come(server.pages, way);
    await admin.signIn(root, password);
    await admin.open(`/admin/accounts/${address}`);
    await admin.press('Invite');
    await admin.look('the question of an invitation');
    await admin.press('Make the link');
    await admin.look('the link, once');
    const link = pathOf(await admin.page.locator('#link').innerText());
    await admin.press('I have passed it on');
    await admin.look('an account that is invited');

    const visitor = await Visitor.come(server.pages, way);
    await visitor.open(link);
    await visitor.look('an invitation');
    await visitor.walk('an invitation');
    await visitor.open(link);
    await visitor.type('New password', 'passwordpassword');
    await visitor.press('Continue');
    await visitor.look('a weak password');
    await visitor.type('New password', 'battery staple rope ladder');
    await visitor.press('Continue');
    await visitor.look('the second factor');
    const seed = (await visitor.page.locator('#seed').innerText()).replaceAll(' ', '');
    await visitor.type('Code', '000000');
    await visitor.press('Switch it on');
    await visitor.look('a wrong code');
    await visitor.type('Code', code(seed));
    await visitor.press('Switch it on');
    await visitor.look('recovery codes');
    assert.match(await visitor.text(), /Your password is set/);
    await visitor.press('Sign in');
    assert.match(visitor.page.url(), /\/sign-in$/);

    await admin.open(`/admin/accounts/${address}/invite`);
    await admin.look('the question where there is a second factor');
    await admin.page.getByLabel('The second factor is lost', { exact: false }).check();
    await admin.press('Make the link');
    await admin.look('an address that was not typed');
    assert.match(await admin.text(), /Type the address of this account/);
    await admin.go();
    const again = server.gatepost(['invite', address]).trim();
    await visitor.open(pathOf(again));
    await visitor.look('an invitation that asks for the code');
    await visitor.go();
  });
}
