// A visitor: one tab of the browser, which complains of whatever a page should not do.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const there = createRequire(join(process.env.NODE_MODULES, 'here.js'));
const { chromium } = there('playwright-core');
const axe = readFileSync(there.resolve('axe-core/axe.min.js'), 'utf8');

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** The one browser of all tests: its start is slow. */
export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});

/** Each way to look at a page: with scripts and without, wide and narrow, light and dark. */
export const ways = [];
for (const scripts of [true, false]) {
  for (const [width, scheme] of [[1280, 'light'], [390, 'dark'], [320, 'light'], [1280, 'dark']]) {
    ways.push({ scripts, width, scheme, name: `${scripts ? 'with' : 'without'} scripts, ${width} px, ${scheme}` });
  }
}

export class Visitor {
  /** A new visitor of these pages, who looks at them in this way. */
  static async come(pages, way, more = {}) {
    const context = await browser.newContext({
      baseURL: pages,
      javaScriptEnabled: way.scripts,
      colorScheme: way.scheme,
      viewport: { width: way.width, height: 800 },
      locale: 'en-GB',
      ...more,
    });
    const visitor = new Visitor();
    Object.assign(visitor, { context, way, complaints: [], page: await context.newPage() });
    visitor.listen(new URL(pages).origin);
    return visitor;
  }

  listen(origin) {
    this.page.on('console', (message) => {
      // Chromium says so of every page that is no 200.
      const isStatus = message.text().startsWith('Failed to load resource: the server responded with a status of');
      if (message.type() === 'error' && !(isStatus && message.location().url === this.page.url())) {
        this.complaints.push(message.text());
      }
    });
    this.page.on('dialog', async (dialog) => {
      this.complaints.push(`a script says: ${dialog.message()}`);
      await dialog.dismiss();
    });
    this.page.on('pageerror', (error) => this.complaints.push(String(error)));
    this.page.on('requestfailed', (request) => {
      // What the next page does not wait for is broken off.
      const { errorText } = request.failure();
      if (errorText !== 'net::ERR_ABORTED') this.complaints.push(`${request.url()}: ${errorText}`);
    });
    this.page.on('request', (request) => {
      if (new URL(request.url()).origin !== origin) this.complaints.push(`asked for ${request.url()}`);
    });
  }

  async open(path) {
    await this.page.goto(path);
  }

  /** Presses a button or a link by its words, and waits for the page behind it. */
  async press(words) {
    const place = this.page.getByRole('button', { name: words, exact: true }).or(this.page.getByRole('link', { name: words, exact: true }));
    const behind = this.page.waitForNavigation();
    await place.first().click();
    await behind;
  }

  async type(label, text) {
    await this.page.getByLabel(label, { exact: true }).fill(text);
  }

  async signIn(address, password) {
    await this.open('/sign-in');
    await this.type('Address', address);
    await this.type('Password', password);
    await this.press('Sign in');
  }

  text() {
    return this.page.locator('main').innerText();
  }

  /** Looks at the page as it is: nothing complained of, nothing that scrolls sideways, one heading, and what axe has to say. */
  async look(what) {
    const where = `${what}, ${this.way.name}`;
    assert.deepEqual(this.complaints, [], where);
    const devtools = await this.context.newCDPSession(this.page);
    const ask = async (expression) => {
      const { result, exceptionDetails } = await devtools.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
      assert.equal(exceptionDetails, undefined, `${where}: ${JSON.stringify(exceptionDetails)}`);
      return result.value;
    };
    const wide = await ask('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    assert.equal(wide, 0, `${where}: scrolls sideways by ${wide} px`);
    assert.equal(await ask('document.querySelectorAll("h1").length'), 1, where);
    assert.equal(await ask('document.querySelectorAll("[style], script:not([src]), style").length'), 0, `${where}: inline`);
    if (this.way.scripts) {
      await ask(`${axe};0`);
      const options = JSON.stringify({ runOnly: tags });
      const violations = await ask(`axe.run(document, ${options}).then(({ violations }) => violations.map((one) =>
        one.id + ': ' + one.help + ' ' + one.nodes.map((node) => node.html + ' ' + node.failureSummary).join(' | ')))`);
      assert.deepEqual(violations, [], where);
    }
    await devtools.detach();
  }

  /** Goes through the page by Tab: each stop is in sight, and marked. */
  async walk(what) {
    const stops = [];
    for (let step = 0; step < 100; step += 1) {
      await this.page.keyboard.press('Tab');
      const stop = await this.page.evaluate(() => {
        const here = document.activeElement;
        if (!here || here === document.body) return null;
        const { width, height } = here.getBoundingClientRect();
        const { outlineStyle, outlineWidth } = getComputedStyle(here);
        return { html: here.outerHTML.slice(0, 120), seen: width > 1 && height > 1, marked: outlineStyle !== 'none' && outlineWidth !== '0px' };
      });
      if (!stop) break;
      stops.push(stop);
    }
    assert.deepEqual(stops.filter((stop) => !stop.seen || !stop.marked), [], `${what}, ${this.way.name}`);
    assert.ok(stops.length > 2, `${what}: ${JSON.stringify(stops)}`);
    return stops;
  }

  async go() {
    assert.deepEqual(this.complaints, [], this.way.name);
    await this.context.close();
  }
}
