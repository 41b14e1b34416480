/** A Unix socket that passes bytes on to another, until it is cut. */
import { createConnection, createServer, type Socket } from 'node:net';

export interface Relay {
  readonly server: string;
  /** Breaks all connections without a word, and takes no new ones. */
  cut(): void;
}

export async function startRelay(path: string, target: string): Promise<Relay> {
  const sockets = new Set<Socket>();
  const listener = createServer((near) => {
    const far = createConnection(target);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined).pipe(to);
    }
  });
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  return {
    server: `unix:${path}`,
    cut() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
