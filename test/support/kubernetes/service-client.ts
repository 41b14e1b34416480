/**
 * A client of a plain Service under constant load. There is no kube-proxy in the tests, so it does what one does: it follows the
 * Service's EndpointSlices by a watch, and each new connection goes to one of the ready endpoints. Nothing is tried again.
 */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../src/adapters/clock.ts';
import { ENDPOINT_SLICE } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { Reflector, sourceOf } from '../../../src/adapters/kubernetes/client/reflector.ts';
import type { EndpointSlice } from '../../../src/adapters/kubernetes/runtime/objects.ts';
import type { TestNamespace } from './shared-cluster.ts';

interface Target {
  readonly host: string;
  readonly port: number;
}

export class ServiceClient {
  readonly #slices: Reflector<EndpointSlice>;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  /** How many requests were answered, by the version that says so; Pods without a version say nothing. */
  readonly answered = new Map<string, number>();
  /** What became of the others, with where they went. */
  readonly failed: string[] = [];
  /** Of the last answer. */
  version = '';

  private constructor(slices: Reflector<EndpointSlice>) {
    this.#slices = slices;
  }

  /** Begins to send as soon as the Service has a ready endpoint: `lanes` at a time, each one after the other. */
  static async start(
    { api, namespace }: TestNamespace,
    service: string,
    { lanes = 4, pauseMs = 10 }: { readonly lanes?: number; readonly pauseMs?: number } = {},
  ): Promise<ServiceClient> {
    const client = new ServiceClient(
      new Reflector<EndpointSlice>({
        source: sourceOf(api, {
          kind: ENDPOINT_SLICE,
          namespace,
          labelSelector: `kubernetes.io/service-name=${service}`,
        }),
        clock: systemClock,
        random: Math.random,
        onChange: () => undefined,
      }),
    );
    await client.#slices.start();
    client.#running = Promise.all(Array.from({ length: lanes }, () => client.#lane(pauseMs)));
    return client;
  }

  get total(): number {
    return [...this.answered.values()].reduce((sum, count) => sum + count, this.failed.length);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#slices.stop();
  }

  async #lane(pauseMs: number): Promise<void> {
    const { signal } = this.#stop;
    while (this.#targets().length === 0 && !signal.aborted) await sleep(pauseMs);
    while (!signal.aborted) {
      await this.#once();
      await sleep(pauseMs);
    }
  }

  async #once(): Promise<void> {
    const targets = this.#targets();
    const target = targets[Math.floor(Math.random() * targets.length)];
    if (target === undefined) {
      this.failed.push('the Service has no ready endpoint');
      return;
    }
    try {
      const { version } = JSON.parse(await ask(target)) as { readonly version: string };
      this.version = version;
      this.answered.set(version, (this.answered.get(version) ?? 0) + 1);
    } catch (error) {
      this.failed.push(`${target.host}:${target.port}: ${(error as Error).message}`);
    }
  }

  #targets(): readonly Target[] {
    return [...this.#slices.objects.values()].flatMap(({ endpoints, ports }) => {
      const port = ports?.[0]?.port;
      const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
      return port === null || port === undefined
        ? []
        : ready.flatMap(({ addresses: [host] }) => (host === undefined ? [] : [{ host, port }]));
    });
  }
}

/** One request on a connection of its own. */
function ask({ host, port }: Target): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, agent: false, timeout: 10_000 }, (response) => {
      if (response.statusCode === 200) text(response).then(resolve, reject);
      else reject(new Error(`status ${response.statusCode}`));
    });
    sent.once('error', reject);
    sent.once('timeout', () => sent.destroy(new Error('no answer within 10 s')));
    sent.end();
  });
}
