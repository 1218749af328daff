// The pages of one's own account, in a browser: how to run it, pages.test.mjs says.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { code, password, start } from './server.mjs';
import { Visitor, browser, ways } from './visitor.mjs';

const visitors = ways.map((way, number) => ({ way, address: `user${number}@example.org` }));
let server;

before(async () => {
  server = await start(visitors.map(({ address }) => address));
});

after(async () => {
  await browser.close();
  await server.stop();
});

for (const { way, address } of visitors) {
  test(`an app password, from the wish to its end: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.signIn(address, password);
    await visitor.open('/account/app-passwords');
    await visitor.look('no app passwords');
    await visitor.press('New app password');
    await visitor.look('a wish');
    await visitor.type('Label', 'Thunderbird on laptop');
    await visitor.type('Only from', 'the office');
    await visitor.press('Make it');
    await visitor.look('a wish that is not understood');
    assert.match(await visitor.text(), /is no network/);
    await visitor.type('Only from', '');
    await visitor.press('Make it');
    await visitor.look('the password, once');
    assert.match(await visitor.text(), /never again/);
    await visitor.press('I have put it in');
    await visitor.look('app passwords');
    await visitor.press('Thunderbird on laptop');
    await visitor.look('an app password');
    await visitor.press('Revoke');
    await visitor.look('the question');
    await visitor.press('Revoke Thunderbird on laptop');
    await visitor.look('nothing is left');
    assert.match(await visitor.text(), /Thunderbird on laptop is revoked/);
    await visitor.go();
  });

  test(`an API token, from the wish to its end: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.signIn(address, password);
    await visitor.open('/account/tokens');
    await visitor.look('no tokens');
    await visitor.press('New token');
    await visitor.look('a wish');
    await visitor.type('Label', 'backup on nas');
    await visitor.press('Make it');
    await visitor.look('a wish for nothing');
    assert.match(await visitor.text(), /Tick what the program may do/);
    await visitor.page.getByLabel('See your account').check();
    await visitor.press('Make it');
    await visitor.look('the token, once');
    assert.match(await visitor.text(), /gp_[a-z2-7]{38}/);
    await visitor.press('I have kept it');
    await visitor.look('tokens');
    assert.match(await visitor.text(), /account:read/);
    await visitor.press('Revoke backup on nas');
    await visitor.look('the question');
    await visitor.press('Revoke backup on nas');
    await visitor.look('nothing is left');
    assert.match(await visitor.text(), /backup on nas is revoked/);
    await visitor.go();
  });

  test(`the second factor, the password, sign-ins and sessions: ${way.name}`, async () => {
    const visitor = await Visitor.come(server.pages, way);
    await visitor.signIn(address, password);
    for (const path of ['password', 'sign-ins', 'sessions', 'sessions/end-all', 'certificates', 'settings', 'second-factor']) {
      await visitor.open(`/account/${path}`);
      await visitor.look(path);
    }
    await visitor.press('Set up the second factor');
    await visitor.look('the picture to scan');
    const seed = (await visitor.page.locator('#seed').innerText()).replaceAll(' ', '');
    await visitor.type('Code', '000000');
    await visitor.press('Switch it on');
    await visitor.look('a wrong code');
    await visitor.type('Code', code(seed));
    await visitor.press('Switch it on');
    await visitor.look('recovery codes');
    await visitor.press('I have kept them');
    await visitor.look('a second factor that is on');
    await visitor.press('Switch it off');
    await visitor.look('the question whether to switch it off');
    await visitor.go();
  });
}
