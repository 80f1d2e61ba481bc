// A numbered list that grows, and on which a reader can wait for the next entry instead of sleeping.

export class Journal {
  #entries = [];
  #last = 0;
  #waiting = new Set();

  /// Appends `entry`, gives it the next number `n` (from 1), wakes whoever waits, and returns it.
  add(entry) {
    const numbered = { n: ++this.#last, at: new Date().toISOString(), ...entry };
    this.#entries.push(numbered);
    for (const wake of [...this.#waiting]) wake();
    return numbered;
  }

  /// The entries after number `after` that `wanted` accepts.
  list(after = 0, wanted = () => true) {
    return this.#entries.filter((entry) => entry.n > after && wanted(entry));
  }

  /// As `list`, but when there is none waits for the first, `seconds` at most; then [].
  async wait(seconds, after = 0, wanted = () => true) {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const found = this.list(after, wanted);
      const left = deadline - Date.now();
      if (found.length > 0 || left <= 0) return found;
      await this.#nextEntry(left);
    }
  }

  /// Forgets all entries; numbering goes on.
  clear() {
    this.#entries = [];
  }

  #nextEntry(milliseconds) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.#waiting.add(wake);
    });
  }
}
