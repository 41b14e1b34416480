/** Neighbouring free ports on the loopback address, for runtimes that take their ports from a range. */
import { createServer } from 'node:net';

/**
 * The first of `count` neighbouring ports that were free a moment ago. Below 32768, where Linux does not take the
 * ports of outgoing connections from.
 */
export async function freePortRange(count: number): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const first = 20_000 + Math.floor(Math.random() * (12_000 - count));
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no ${count} neighbouring ports are free on 127.0.0.1 between 20000 and 32000`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
