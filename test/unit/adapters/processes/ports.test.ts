/** Which port an instance gets. */
import { createServer } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPortFree, NoFreePortError, PortAllocator } from '../../../../src/adapters/processes/ports.ts';

const range = { from: 9000, to: 9002 };
const allFree = async (): Promise<boolean> => true;

test('instances get different ports, also when they ask at the same time', async () => {
  const ports = new PortAllocator(allFree);
  const given = await Promise.all(
    ['a', 'b', 'c'].map((instance) => ports.take({ instance, range, preferred: 0 })),
  );
  expect(new Set(given)).toEqual(new Set([9000, 9001, 9002]));
});

test('ranges of two services may overlap', async () => {
  const ports = new PortAllocator(allFree);
  const first = await ports.take({ instance: 'a', range: { from: 9000, to: 9000 }, preferred: 0 });
  const second = await ports.take({ instance: 'b', range, preferred: 0 });
  expect([first, second]).toEqual([9000, 9001]);
});

test('an instance that starts again keeps its port', async () => {
  const ports = new PortAllocator(allFree);
  const port = await ports.take({ instance: 'a', range, preferred: 0 });
  await ports.take({ instance: 'b', range, preferred: 0 });
  expect(await ports.take({ instance: 'a', range, preferred: port })).toBe(port);
});

test('an instance whose port was taken by another program gets another one and gives its own back', async () => {
  const taken = new Set<number>();
  const ports = new PortAllocator(async (port) => !taken.has(port));
  expect(await ports.take({ instance: 'a', range, preferred: 0 })).toBe(9000);
  taken.add(9000);
  expect(await ports.take({ instance: 'a', range, preferred: 9000 })).toBe(9001);
  taken.delete(9000);
  const rest = [
    await ports.take({ instance: 'b', range, preferred: 0 }),
    await ports.take({ instance: 'c', range, preferred: 0 }),
  ];
  expect(new Set(rest)).toEqual(new Set([9000, 9002]));
});

test('a port outside of a range that has changed is not kept', async () => {
  const ports = new PortAllocator(allFree);
  ports.hold(8000, 'a');
  expect(await ports.take({ instance: 'a', range, preferred: 8000 })).toBe(9000);
});

test('a port that was given back is given out last', async () => {
  const ports = new PortAllocator(allFree);
  await ports.take({ instance: 'a', range, preferred: 0 });
  ports.release('a');
  const later = [
    await ports.take({ instance: 'b', range, preferred: 0 }),
    await ports.take({ instance: 'c', range, preferred: 0 }),
  ];
  expect(later).toEqual([9001, 9002]);
});

test('when none is left the error counts who has them', async () => {
  const ports = new PortAllocator(async (port) => port === 9000);
  await ports.take({ instance: 'a', range, preferred: 0 });
  const refused = ports.take({ instance: 'b', range, preferred: 0 });
  await expect(refused).rejects.toThrow(NoFreePortError);
  await expect(refused).rejects.toThrow(
    'no free port in 9000-9002: 1 held by other instances, 2 by other programs; widen the range',
  );
});

test('no port is ever held by two instances, whatever is taken, released and blocked', async () => {
  const step = fc.record({
    instance: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    release: fc.boolean(),
    blocked: fc.subarray([9000, 9001, 9002]),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      let blocked: readonly number[] = [];
      const ports = new PortAllocator(async (port) => !blocked.includes(port));
      const held = new Map<string, number>();
      for (const next of steps) {
        ({ blocked } = next);
        if (next.release) {
          ports.release(next.instance);
          held.delete(next.instance);
          continue;
        }
        const preferred = held.get(next.instance) ?? 0;
        try {
          held.set(next.instance, await ports.take({ instance: next.instance, range, preferred }));
        } catch (error) {
          expect(error).toBeInstanceOf(NoFreePortError);
        }
        expect(new Set(held.values()).size).toBe(held.size);
      }
    }),
  );
});

test.each(['127.0.0.1', '0.0.0.0', '127.0.0.2'])(
  'a port that somebody listens on at %s is not free',
  async (host) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    expect(await isPortFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await isPortFree(port)).toBe(true);
  },
);
