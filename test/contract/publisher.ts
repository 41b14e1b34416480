/** What every Publisher promises, whoever its proxies are. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RoutingTable } from '../../src/model/table.ts';
import type { ProxyProgress, Publisher } from '../../src/ports/publisher.ts';
import { eventually } from '../support/eventually.ts';
import { serviceRoutes, table } from '../support/tables.ts';

/** A publisher with the hands to make its proxies do something. */
export interface PublisherUnderTest {
  readonly publisher: Publisher;
  /** `prompt` acknowledges what comes; `slow` waits for `acknowledge` or `reject`. */
  connect(id: string, speed: 'prompt' | 'slow'): void;
  /** The proxy acknowledges what it was sent, and from then on what comes. */
  acknowledge(id: string): void;
  /** The proxy refuses the routes that it was sent. */
  reject(id: string, message: string): void;
  /** Another connection of the same node; `close` ends it. Returns the id that it is to have. */
  connectAgain(id: string): string;
  disconnect(id: string): void;
  close(): Promise<void>;
}

const toV1 = table(serviceRoutes({ defaultRoute: { kind: 'Single', version: 'v1' } }));
const toV2 = table(serviceRoutes({ defaultRoute: { kind: 'Single', version: 'v2' } }));

export function publisherContract(name: string, start: () => Promise<PublisherUnderTest>): void {
  describe(`${name}, as a Publisher`, () => {
    let world: PublisherUnderTest;
    let number = 10;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());

    const publish = (shown: RoutingTable): number => {
      number += 1;
      world.publisher.publish({ number, table: shown });
      return number;
    };
    const proxy = (id: string): ProxyProgress | undefined =>
      world.publisher.progress().proxies.find((other) => other.id === id);

    test('starts with no publication and no proxy', () => {
      expect(world.publisher.progress()).toEqual({ publication: 0, proxies: [] });
    });

    test('tells the number of the last publication', () => {
      const last = publish(toV1);
      expect(world.publisher.progress().publication).toBe(last);
    });

    test('refuses a number that is not above the last one, and keeps the table', () => {
      const last = publish(toV1);
      expect(() => world.publisher.publish({ number: last, table: toV2 })).toThrow(RangeError);
      expect(world.publisher.progress().publication).toBe(last);
    });

    test('shows a proxy that acknowledges at the publication, whether it came before or after', async () => {
      const first = publish(toV1);
      world.connect('gateway', 'prompt');
      await eventually(() => proxy('gateway')?.publication === first);
      const second = publish(toV2);
      await eventually(() => proxy('gateway')?.publication === second);
      expect(proxy('gateway')).toMatchObject({ routesPublication: second, kind: 'envoy' });
    });

    test('shows a proxy that does not answer as behind, until it does', async () => {
      const first = publish(toV1);
      world.connect('gateway', 'prompt');
      world.connect('slow', 'slow');
      await eventually(() => proxy('gateway')?.publication === first);
      await eventually(() => proxy('slow') !== undefined);
      expect(proxy('slow')?.routesPublication).toBeLessThan(first);
      world.acknowledge('slow');
      await eventually(() => proxy('slow')?.publication === first);
      expect(proxy('slow')?.routesPublication).toBe(first);
    });

    test('shows a rejection with its message; the proxy is not at the publication', async () => {
      const first = publish(toV1);
      world.connect('slow', 'slow');
      await eventually(() => proxy('slow') !== undefined);
      world.reject('slow', 'no room for these routes');
      const rejections = () =>
        proxy('slow')?.types.flatMap(({ rejection }) => (rejection === undefined ? [] : [rejection.message]));
      await eventually(() => rejections()?.length === 1);
      expect(rejections()).toEqual(['no room for these routes']);
      expect(proxy('slow')?.routesPublication).toBeLessThan(first);
    });

    test('shows connected proxies only, sorted by id', async () => {
      publish(toV1);
      for (const id of ['c', 'a', 'b']) world.connect(id, 'prompt');
      const ids = () =>
        world.publisher
          .progress()
          .proxies.map(({ id }) => id)
          .join(' ');
      await eventually(() => ids() === 'a b c');
      world.disconnect('b');
      await eventually(() => ids() === 'a c');
      expect(ids()).toBe('a c');
    });

    test('shows a second connection of a node under an id of its own, with the node id that both have', async () => {
      publish(toV1);
      world.connect('gateway', 'prompt');
      await eventually(() => proxy('gateway') !== undefined);
      const second = world.connectAgain('gateway');
      await eventually(() => proxy(second) !== undefined);
      expect(second).not.toBe('gateway');
      expect(proxy('gateway')?.nodeId).toBe('gateway');
      expect(proxy(second)?.nodeId).toBe('gateway');
    });

    test('calls back when a proxy came, acknowledged, or went, until it is told to stop', async () => {
      const seen: string[] = [];
      const look = (): void =>
        void seen.push(
          world.publisher
            .progress()
            .proxies.map(({ id, publication }) => `${id} ${publication}`)
            .join(),
        );
      const unsubscribe = world.publisher.subscribe(look);
      const first = publish(toV1);
      world.connect('gateway', 'prompt');
      await eventually(() => seen.at(-1) === `gateway ${first}`);
      world.disconnect('gateway');
      await eventually(() => seen.at(-1) === '');
      unsubscribe();
      const count = seen.length;
      world.connect('other', 'prompt');
      await eventually(() => proxy('other')?.publication === first);
      expect(seen.length).toBe(count);
    });
  });
}
