// What somebody does who was told nothing but the address of the pages: signs in, sets up the second factor, makes an app password, sends with it,
// finds the message, takes the next one back, sees a stranger's login and says no. By keyboard alone, with scripts and without.
// How to run it, pages.test.mjs says.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { code, password, start } from './server.mjs';
import { Visitor, browser } from './visitor.mjs';

const travellers = [];
for (const scripts of [true, false]) {
  for (const scheme of ['light', 'dark']) {
    const name = `${scripts ? 'with' : 'without'} scripts, 390 px, ${scheme}`;
    travellers.push({ way: { scripts, scheme, width: 390, name }, address: `traveller${travellers.length}@example.org` });
  }
}
let server;

before(async () => {
  server = await start(travellers.map(({ address }) => address), { submission: 'undo = "60s"', delivery: 'via = "maildir:outbox"' });
});

after(async () => {
  await browser.close();
  await server.stop();
});

/** Hands in a message as any program would: curl, with the settings of the page. What it calls itself, and its identifier. */
async function send(from, secret, to, more = []) {
  const name = `${randomUUID()}@example.org`;
  const message = `From: ${from}\r\nTo: ${to}\r\nMessage-ID: <${name}>\r\nSubject: a test\r\n\r\nHello.\r\n`;
  const told = promisify(execFile)('curl', ['--silent', '--verbose', `smtp://127.0.0.1:${server.mail}`, '--user', `${from}:${secret}`,
    '--login-options', 'AUTH=PLAIN', '--mail-from', from, '--mail-rcpt', to, '--upload-file', '-', ...more]);
  told.child.stdin.end(message);
  const { stderr } = await told;
  return { name, id: stderr.match(/< 250 2\.\d\.\d .*\b([0-9a-z]{26})/)[1] };
}

/** Somebody who has a keyboard and nothing else. */
class Typist {
  static async come(pages, way) {
    const typist = new Typist();
    typist.visitor = await Visitor.come(pages, way);
    typist.page = typist.visitor.page;
    typist.devtools = await typist.visitor.context.newCDPSession(typist.page);
    return typist;
  }

  /** What has the focus: what it is called, as it is written or labelled. */
  async focused() {
    const expression = `(() => {
      const here = document.activeElement;
      if (!here || here === document.body) return null;
      const label = here.labels?.[0] ?? here;
      const words = label.cloneNode(true);
      words.querySelectorAll('select, textarea').forEach((one) => one.remove());
      return words.textContent.replace(/\\s+/g, ' ').trim();
    })()`;
    const { result } = await this.devtools.send('Runtime.evaluate', { expression, returnByValue: true });
    return result.value;
  }

  /** Presses Tab until something that is called so has the focus. */
  async reach(words) {
    const seen = [];
    for (let step = 0; step < 150; step += 1) {
      await this.page.keyboard.press('Tab');
      const here = await this.focused();
      if (here !== null && (words instanceof RegExp ? words.test(here) : here === words)) return;
      seen.push(here);
    }
    assert.fail(`${words} is not reached by Tab: ${JSON.stringify(seen)}`);
  }

  async press(words) {
    await this.reach(words);
    const behind = this.page.waitForNavigation();
    await this.page.keyboard.press('Enter');
    await behind;
  }

  async type(label, text) {
    await this.reach(label);
    await this.page.keyboard.type(text);
  }

  /** Loads the page again until it says so. */
  async until(words) {
    for (let round = 0; round < 60; round += 1) {
      const text = await this.page.locator('main').innerText();
      if (words.test(text)) return text;
      await this.page.waitForTimeout(250);
      await this.page.reload();
    }
    assert.fail(`${words} is never told: ${await this.page.locator('main').innerText()}`);
  }
}

for (const { way, address } of travellers) {
  test(`from the first sign-in to a stranger who is stopped: ${way.name}`, async () => {
    const one = await Typist.come(server.pages, way);
    await one.visitor.open('/');
    await one.type('Address', address);
    await one.type('Password', password);
    await one.press('Sign in');

    await one.press('Second factor');
    await one.press('Set up the second factor');
    const seed = (await one.page.locator('#seed').innerText()).replaceAll(' ', '');
    await one.type('Code', code(seed));
    await one.press('Switch it on');
    await one.visitor.look('recovery codes');
    await one.press('I have kept them');

    await one.press('App passwords');
    await one.press('New app password');
    await one.type('Label', 'curl on laptop');
    await one.press('Make it');
    await one.visitor.look('the password, once');
    const letters = (await one.page.locator('#letters').innerText()).replace(/\s/g, '');
    assert.equal(letters.length, 16);

    const first = await send(address, letters, 'friend@example.net');
    await one.press('Sent messages');
    await one.until(new RegExp(first.name));
    await one.visitor.look('what was sent');
    const second = await send(address, letters, 'other@example.net');
    await one.until(new RegExp(second.name));
    await one.press(new RegExp(second.name));
    await one.visitor.look('a message that can be taken back');
    await one.press('Take back');
    assert.match(await one.page.locator('main').innerText(), /The message is taken back\. Nobody gets it\./);

    // Its own use from here is new, too, and it is said once that it was its owner.
    await one.press('Overview');
    await one.until(/Was that you\?/);
    await one.press(/^Yes, it was me: curl on laptop, 127\.0\.0\.1$/);
    const spam = await send(address, letters, 'victim@example.net', ['--interface', '127.0.0.66']);
    await one.press('Overview');
    await one.until(/127\.0\.0\.66/);
    await one.visitor.look('a question');
    await one.press(/^No, it was not me: curl on laptop, 127\.0\.0\.66$/);
    await one.until(new RegExp(spam.name));
    await one.visitor.look('what the stranger did');
    await one.press('Do it');
    assert.match(await one.page.locator('main').innerText(), /whoever it was is stopped as you wished\. [1-9] messages? (is|are) held/);
    await one.visitor.look('a stranger who is stopped');
    await assert.rejects(send(address, letters, 'victim@example.net', ['--interface', '127.0.0.66']));
    const queue = JSON.parse(server.gatepost(['queue', 'list', '--account', address, '--json']));
    assert.ok(queue.find((message) => message.id === spam.id).held, JSON.stringify(queue));
    await one.visitor.go();
  });
}
