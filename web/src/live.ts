// Keeps the page in step with the gateway: server-sent events while they flow, a look every half a minute in case they
// silently do not, and new attempts, further and further apart, when nothing comes through.

export type Connection = 'connecting' | 'live' | 'lost';

const kLook = 30_000;
const kFirstDelay = 1000;
const kLongestDelay = 30_000;

export class LiveUpdates {
  #source: EventSource | null = null;
  #retry: number | undefined;
  #look: number | undefined;
  #delay = kFirstDelay;
  readonly #stopped = new AbortController();

  /// `look` fetches what there is, and says whether the gateway answered; `tell` hears of the connection.
  constructor(
    private readonly look: () => Promise<boolean>,
    private readonly tell: (connection: Connection) => void,
  ) {}

  start(): void {
    const { signal } = this.#stopped;
    window.addEventListener('online', () => this.connect(), { signal });
    window.addEventListener('offline', () => this.#lose(), { signal });
    document.addEventListener('visibilitychange', () => this.#wake(), { signal });
    this.#look = window.setInterval(() => void this.#check(), kLook);
    this.connect();
  }

  stop(): void {
    this.#stopped.abort();
    window.clearInterval(this.#look);
    window.clearTimeout(this.#retry);
    this.#source?.close();
  }

  /// Tries now, without waiting for the next attempt.
  connect(): void {
    window.clearTimeout(this.#retry);
    this.#source?.close();
    const source = new EventSource('/v2/events');
    this.#source = source;
    source.addEventListener('open', () => {
      this.#delay = kFirstDelay;
      this.tell('live');
      void this.#check();
    });
    source.addEventListener('requests', () => void this.#check());
    source.addEventListener('error', () => this.#lose());
    void this.#check();
  }

  async #check(): Promise<void> {
    const answered = await this.look();
    if (!answered && !this.#stopped.signal.aborted) this.#lose();
  }

  #lose(): void {
    this.#source?.close();
    window.clearTimeout(this.#retry);
    this.tell('lost');
    this.#retry = window.setTimeout(() => this.connect(), this.#delay);
    this.#delay = Math.min(this.#delay * 2, kLongestDelay);
  }

  #wake(): void {
    if (document.visibilityState !== 'visible') return;
    if (this.#source?.readyState === EventSource.OPEN) void this.#check();
    else this.connect();
  }
}
