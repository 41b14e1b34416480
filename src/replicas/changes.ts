/** What a follower tells of its proxies: what has changed since it told last. */
import type { ProxyProgress } from '../ports/publisher.ts';

export class ProxyChanges {
  #told: ReadonlyMap<string, string> = new Map();

  /** Since the call before; at first all. */
  since(proxies: readonly ProxyProgress[]): {
    readonly changed: readonly ProxyProgress[];
    readonly gone: readonly string[];
  } {
    const now = new Map(proxies.map((proxy) => [proxy.id, textOf(proxy)]));
    const changed = proxies.filter(({ id }) => this.#told.get(id) !== now.get(id));
    const gone = [...this.#told.keys()].filter((id) => !now.has(id));
    this.#told = now;
    return { changed, gone };
  }
}

/** When a proxy was last seen changes with every word of it, and is told with whatever else changes. */
function textOf(proxy: ProxyProgress): string {
  return JSON.stringify({ ...proxy, lastSeen: 0 });
}
