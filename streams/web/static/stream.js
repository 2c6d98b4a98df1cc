// The event stream: keeps one connection, notices silence, connects again by itself.
const SILENCE_MS = 12000;
const PAUSES_MS = [500, 1000, 2000, 4000];

export class Stream {
  constructor(handlers) {
    this.handlers = handlers;
    this.source = null;
    this.failures = 0;
    this.timer = 0;
    this.watch = 0;
  }

  open(window) {
    this.query = new URLSearchParams({ window });
    this.failures = 0;
    this.connect();
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.watch);
    if (this.source) this.source.close();
    this.source = null;
  }

  connect() {
    this.close();
    const source = new EventSource(`/api/v1/stream?${this.query}`);
    this.source = source;
    const on = (name, act) => source.addEventListener(name, event => {
      if (this.source !== source) return;
      this.failures = 0;
      this.alive();
      if (act) act(JSON.parse(event.data));
    });
    on('snapshot', this.handlers.snapshot);
    on('delta', this.handlers.delta);
    on('decision', this.handlers.decision);
    on('trouble', this.handlers.trouble);
    on('heartbeat', null);
    source.addEventListener('error', () => { if (this.source === source) this.lost(); });
    this.alive();
  }

  alive() {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => this.lost(), SILENCE_MS);
  }

  lost() {
    this.close();
    this.handlers.lost();
    this.timer = setTimeout(() => this.connect(), PAUSES_MS[Math.min(this.failures, PAUSES_MS.length - 1)]);
    this.failures += 1;
  }
}
