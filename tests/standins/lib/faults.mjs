// Faults on demand: which of the next requests go wrong, and how. The stand-in's server carries them out. Where only
// the answer is spoilt, the service has acted all the same: a message whose answer is dropped was sent.

/// How an answer can be spoilt on its way, whatever it says.
const kDelivery = new Set([
  'slow',
  'hang',
  'drop',
  'cut',
  'stall',
  'garbage',
  'empty',
  'endless',
  'redirect',
]);

export class Faults {
  #rules = [];

  /// `own` names the faults that the service itself answers, beside the statuses 400 to 599.
  constructor(own = []) {
    this.own = new Set(own);
  }

  /// Adds a rule: { match, pattern, fault, times = 1, skip = 0, retryAfter, delayMs = 0, location }. `match` is a text
  /// in "METHOD /path?query", `pattern` a regular expression for it; without them every request matches. `skip` lets so
  /// many pass first; `retryAfter` is in seconds or a date as in HTTP; `location` is where a 'redirect' leads.
  /// Throws on a fault that nobody would carry out, so that a test with a slip of the pen fails.
  add({ match = '', pattern, fault, times = 1, skip = 0, retryAfter, delayMs = 0, location, ...unknown }) {
    const stray = Object.keys(unknown);
    if (stray.length > 0) throw new Error(`a fault has no field '${stray[0]}'`);
    const kind = String(fault);
    const known = kDelivery.has(kind) || this.own.has(kind) || /^[45]\d\d$/.test(kind);
    if (!known) throw new Error(`no such fault: '${kind}'`);
    if (kind === 'slow' && delayMs <= 0) throw new Error("the fault 'slow' needs delayMs");
    if (kind === 'redirect' && !location) throw new Error("the fault 'redirect' needs a location");
    this.#rules.push({ match, pattern, fault: kind, times, skip, retryAfter, delayMs, location });
  }

  /// The rule that `request` runs into, one use of it spent; or null.
  take(request) {
    const line = `${request.method} ${request.url}`;
    for (const rule of this.#rules) {
      if (rule.times <= 0 || !matches(rule, line)) continue;
      if (rule.skip > 0) {
        rule.skip -= 1;
        continue;
      }
      rule.times -= 1;
      return rule;
    }
    return null;
  }

  /// The rules that have uses left.
  left() {
    return this.#rules.filter((rule) => rule.times > 0);
  }

  clear() {
    this.#rules = [];
  }
}

/// Whether the service answers this rule itself, rather than having its usual answer spoilt on the way.
export function changesAnswer(rule) {
  return rule !== null && !kDelivery.has(rule.fault);
}

function matches(rule, line) {
  return line.includes(rule.match) && (rule.pattern === undefined || new RegExp(rule.pattern).test(line));
}
