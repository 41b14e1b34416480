/** A Publisher whose proxies do what a test says: they connect, acknowledge, reject and go away on command. */
import { instant } from '../../../src/model/instant.ts';
import type { Publication } from '../../../src/model/table.ts';
import type { ProxyProgress, Publisher, PublishProgress } from '../../../src/ports/publisher.ts';

export class ScriptedProxies implements Publisher {
  readonly published: Publication[] = [];
  readonly #proxies = new Map<string, ProxyProgress>();
  readonly #listeners = new Set<() => void>();
  readonly #prompt = new Set<string>();

  publish(publication: Publication): void {
    const last = this.published.at(-1)?.number ?? 0;
    if (publication.number <= last)
      throw new RangeError(`publication ${publication.number} is not above ${last}`);
    this.published.push(publication);
    for (const id of this.#prompt)
      this.#set(id, { publication: publication.number, routesPublication: publication.number });
  }

  progress(): PublishProgress {
    const proxies = [...this.#proxies.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    return { publication: this.published.at(-1)?.number ?? 0, proxies };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A proxy that acknowledges everything at once, or (`slow`) nothing before `acknowledge`. `id` like `gw#2`: of `gw`. */
  connect(id: string, speed: 'prompt' | 'slow'): void {
    const at = instant(Date.parse('2026-11-01T12:00:00Z'));
    const number = speed === 'prompt' ? (this.published.at(-1)?.number ?? 0) : 0;
    if (speed === 'prompt') this.#prompt.add(id);
    this.#proxies.set(id, {
      id,
      nodeId: id.replace(/#\d+$/, ''),
      kind: 'envoy',
      protocol: 'sotw',
      address: '127.0.0.1:40000',
      userAgent: 'envoy 1.40.0',
      connectedAt: at,
      lastSeen: at,
      publication: number,
      routesPublication: number,
      types: [{ type: 'routes', subscribed: ['gateway'], acknowledgedVersion: 'a', publication: number }],
    });
    this.#notify();
  }

  /** From now on the proxy has everything. */
  acknowledge(id: string): void {
    const number = this.published.at(-1)?.number ?? 0;
    this.#prompt.add(id);
    this.#set(id, { publication: number, routesPublication: number });
  }

  /** The proxy refuses the routes. */
  reject(id: string, message: string): void {
    const at = instant(Date.parse('2026-11-01T12:00:05Z'));
    const rejection = { message, version: 'b', at };
    this.#prompt.delete(id);
    this.#set(id, {
      types: [
        { type: 'routes', subscribed: ['gateway'], acknowledgedVersion: 'a', publication: 0, rejection },
      ],
    });
  }

  disconnect(id: string): void {
    this.#prompt.delete(id);
    this.#proxies.delete(id);
    this.#notify();
  }

  #set(id: string, part: Partial<ProxyProgress>): void {
    const proxy = this.#proxies.get(id);
    if (proxy === undefined) throw new Error(`no proxy ${id} is connected`);
    this.#proxies.set(id, { ...proxy, ...part });
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
