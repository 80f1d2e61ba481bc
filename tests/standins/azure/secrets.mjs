// The secrets of one key vault: names, versions, attributes, the deleted ones that can still be recovered, and those on
// their way out, which are seen nowhere. No HTTP.

import { randomBytes } from 'node:crypto';

const kNinetyDays = 90 * 24 * 3600;

export class Secrets {
  #live = new Map();
  #deleted = new Map();
  #begun = new Map(); // what was answered last and takes its time: when, and the setting that says how long

  /// `now` returns the time in seconds; of `settings` are read purgeProtection and, in milliseconds, deletionTime and
  /// purgeTime.
  constructor(now, settings) {
    this.now = now;
    this.settings = settings;
  }

  /// Adds a version and returns it: { name, version, value, contentType, tags, attributes }.
  put(name, { value, contentType, tags, attributes = {} }) {
    const created = this.now();
    const secret = {
      name,
      version: randomBytes(16).toString('hex'),
      value,
      contentType,
      tags,
      attributes: { enabled: true, ...attributes, created, updated: created, ...this.#recovery() },
    };
    this.#live.set(keyOf(name), [...this.versions(name), secret]);
    return secret;
  }

  /// The named version, without one the newest; undefined when there is none. Names do not tell case apart.
  get(name, version) {
    const all = this.versions(name);
    return version ? all.find((secret) => secret.version === version) : all.at(-1);
  }

  /// All versions of a name, the oldest first.
  versions(name) {
    return this.#live.get(keyOf(name)) ?? [];
  }

  /// The newest version of each name.
  newest() {
    return [...this.#live.values()].map((versions) => versions.at(-1));
  }

  /// Changes attributes, tags or content type of one version in place.
  update(secret, { contentType, tags, attributes = {} }) {
    if (contentType !== undefined) secret.contentType = contentType;
    if (tags !== undefined) secret.tags = tags;
    Object.assign(secret.attributes, attributes, { updated: this.now() });
  }

  /// Deletes a name softly; it then has `deletedDate` and `scheduledPurgeDate` in `deleted(name)`.
  remove(name) {
    const deletedDate = this.now();
    const dates = { deletedDate, scheduledPurgeDate: deletedDate + kNinetyDays };
    this.#deleted.set(keyOf(name), { versions: this.versions(name), dates });
    this.#live.delete(keyOf(name));
    this.#begun.set(keyOf(name), { at: Date.now(), takes: 'deletionTime' });
    return this.deleted(name);
  }

  /// The newest version of a deleted name with its dates, or undefined.
  deleted(name) {
    const entry = this.#deleted.get(keyOf(name));
    if (!entry) return undefined;
    const newest = entry.versions.at(-1);
    return { ...newest, ...entry.dates, attributes: { ...newest.attributes, ...this.#recovery() } };
  }

  /// Whether a deletion or a purge of that name was answered and is not yet done, as the settings are now.
  isBusy(name) {
    const begun = this.#begun.get(keyOf(name));
    return begun !== undefined && Date.now() < begun.at + this.settings[begun.takes];
  }

  /// Brings a deleted name back and returns its newest version.
  recover(name) {
    this.#live.set(keyOf(name), this.#deleted.get(keyOf(name)).versions);
    this.#deleted.delete(keyOf(name));
    return this.get(name);
  }

  purge(name) {
    this.#deleted.delete(keyOf(name));
    this.#begun.set(keyOf(name), { at: Date.now(), takes: 'purgeTime' });
  }

  #recovery() {
    const recoveryLevel = this.settings.purgeProtection ? 'Recoverable' : 'Recoverable+Purgeable';
    return { recoveryLevel, recoverableDays: 90 };
  }
}

function keyOf(name) {
  return name.toLowerCase();
}
