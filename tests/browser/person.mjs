// Somebody with a browser and a passkey of their own: Debian's Chromium with a virtual authenticator, and a record of everything
// that went wrong in the page.

import { chromium } from 'playwright-core';

export const kPhone = { width: 390, height: 844 };

export function launch() {
  return chromium.launch({
    executablePath: process.env.ZKV_CHROMIUM ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

export class Person {
  /// What the page must never do: break its policy, throw, open a dialog.
  faults = [];

  static async open(browser, world, options = {}) {
    const person = new Person();
    const context = await browser.newContext({
      viewport: kPhone,
      colorScheme: 'dark',
      reducedMotion: 'reduce',
      ignoreHTTPSErrors: true,
      ...options,
    });
    const page = await context.newPage();
    Object.assign(person, { context, page, base: world.base });
    await person.#record();
    person.devtools = await context.newCDPSession(page);
    await person.devtools.send('WebAuthn.enable');
    person.authenticator = await person.addAuthenticator('internal');
    return person;
  }

  async #record() {
    const { context, page, faults } = this;
    await context.exposeBinding('zkvFault', (_, text) => faults.push(text));
    await context.addInitScript(() =>
      document.addEventListener('securitypolicyviolation', (event) =>
        window.zkvFault(`policy: ${event.violatedDirective} ${event.blockedURI}`),
      ),
    );
    page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (/Content Security Policy|TrustedHTML|TrustedScript/.test(message.text()))
        faults.push(message.text());
    });
  }

  async addAuthenticator(transport) {
    const { authenticatorId } = await this.devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport,
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return authenticatorId;
  }

  removeAuthenticator(authenticatorId) {
    return this.devtools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
  }

  /// Whether the finger is on the sensor and the right one.
  async setVerified(isUserVerified) {
    const { authenticator: authenticatorId } = this;
    await this.devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
  }

  /// Whether the prompt is answered at all.
  async setPresent(enabled) {
    const { authenticator: authenticatorId } = this;
    await this.devtools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
  }

  /// Opens a view afresh, as a link from a message does.
  async visit(hash = '') {
    await this.page.goto('about:blank');
    await this.page.goto(`${this.base}/${hash}`);
  }

  /// Goes to a view within the page.
  async go(hash) {
    await this.page.evaluate((wanted) => (location.hash = wanted), hash);
  }

  async register(invite, label) {
    await this.visit(`#register=${invite}`);
    if (label) await this.page.getByLabel('Name of the passkey').fill(label);
    await this.button('Make my passkey').click();
    await this.heading('Requests').waitFor();
  }

  async signIn() {
    await this.button('Sign in with a passkey').click();
  }

  button(name) {
    return this.page.getByRole('button', { name });
  }

  heading(name) {
    return this.page.getByRole('heading', { level: 1, name });
  }

  card(id) {
    return this.page.locator(`article[data-request="${id}"]`);
  }

  /// What the gateway says about a request, asked with this person's session.
  async stateOf(id) {
    const { requests } = await this.page.evaluate(async () => (await fetch('/v2/requests?all=1')).json());
    return requests.find((request) => request.id === id);
  }

  /// How far the page can be pushed sideways.
  sideways() {
    return this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  }
}
