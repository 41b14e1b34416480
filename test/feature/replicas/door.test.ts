// A port that the leader alone answers on, over real sockets.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Door, type OpenDoor, openDoor } from '../../../src/replicas/door.ts';
import { openReplicaPort } from '../../../src/replicas/port.ts';

const LOOPBACK = '127.0.0.1';

/** A replica whose admin API says its name to whoever connects, and then says again what it hears. */
async function named(name: string): Promise<Door> {
  const replica = await openReplicaPort({
    host: LOOPBACK,
    port: 0,
    link: (socket) => greet(socket, `${name}'s link`),
    tunnels: (tunnel) => (tunnel === 'admin' ? (socket) => greet(socket, name) : undefined),
  });
  onTestFinished(() => replica.close());
  return { kind: 'Leader', host: LOOPBACK, port: replica.port, tunnel: 'admin' };
}

function greet(socket: Socket, name: string): void {
  socket.on('error', () => undefined);
  socket.write(name);
  socket.pipe(socket);
}

async function aDoor(): Promise<OpenDoor> {
  const door = await openDoor({ host: LOOPBACK, port: 0 });
  onTestFinished(() => door.close());
  return door;
}

/** Connects, and resolves with the first words. */
async function knock({ port }: OpenDoor): Promise<{ readonly socket: Socket; readonly heard: string }> {
  const socket = connect(port, LOOPBACK);
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  const heard = await Promise.race([
    once(socket, 'data').then(([bytes]) => String(bytes)),
    once(socket, 'close').then(() => 'closed'),
  ]);
  return { socket, heard };
}

describe('a door', () => {
  test('is closed until somebody leads', async () => {
    expect((await knock(await aDoor())).heard).toBe('closed');
  });

  test('gives connections to this replica where it leads, and to the leader where another does', async () => {
    const door = await aDoor();
    door.lead({ kind: 'Here', accept: (socket) => greet(socket, 'here') });
    expect((await knock(door)).heard).toBe('here');
    door.lead(await named('there'));
    const { socket, heard } = await knock(door);
    expect(heard).toBe('there');
    socket.write('and back');
    expect(String((await once(socket, 'data'))[0])).toBe('and back');
  });

  test('ends open connections when somebody else leads, so that they come again', async () => {
    const door = await aDoor();
    door.lead(await named('first'));
    const { socket } = await knock(door);
    const closed = once(socket, 'close');
    door.lead(await named('second'));
    await closed;
    expect((await knock(door)).heard).toBe('second');
  });

  test('ends a connection whose leader is not there', async () => {
    const door = await aDoor();
    const gone = createServer().listen(0, LOOPBACK);
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    door.lead({ kind: 'Leader', host: LOOPBACK, port, tunnel: 'admin' });
    expect((await knock(door)).heard).toBe('closed');
  });

  test('ends a connection to a replica that does not lead', async () => {
    const door = await aDoor();
    const there = await named('there');
    if (there.kind !== 'Leader') throw new Error(there.kind);
    door.lead({ ...there, tunnel: 'watchers' });
    expect((await knock(door)).heard).toBe('closed');
  });
});

describe('the port for replicas', () => {
  /** Says something, and resolves with what comes of it. */
  async function say(port: number, ...words: readonly string[]): Promise<string> {
    const socket = connect(port, LOOPBACK);
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    for (const word of words) {
      socket.write(word);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return Promise.race([
      once(socket, 'data').then(([bytes]) => String(bytes)),
      once(socket, 'close').then(() => 'closed'),
    ]);
  }

  test('tells HTTP/2 from tunnels, in however many pieces they come, and loses nothing', async () => {
    const there = await named('leader');
    if (there.kind !== 'Leader') throw new Error(there.kind);
    const { port } = there;
    expect(await say(port, 'PRI * HTTP/2.0')).toMatch(/^leader's link/);
    expect(await say(port, 'P', 'RI * HTTP/2.0')).toMatch(/^leader's link/);
    expect(await say(port, 'TUNNEL ad', 'min\n')).toBe('leader');
    expect(await say(port, 'TUNNEL admin\nhello')).toMatch(/^leader/);
  });

  test.each(['GET / HTTP/1.1', 'TUNNEL secrets\n', `TUNNEL ${'x'.repeat(100)}`, 'TX'])(
    'ends what is neither: %j',
    async (word) => {
      const there = await named('leader');
      if (there.kind !== 'Leader') throw new Error(there.kind);
      expect(await say(there.port, word)).toBe('closed');
    },
  );
});
