// A port that the leader alone answers on, over real sockets.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type OpenDoor, openDoor } from '../../../src/replicas/door.ts';

const LOOPBACK = '127.0.0.1';

/** A server that says its name to whoever connects, and then says again what it hears. */
async function named(name: string): Promise<number> {
  const server = createServer((socket) => greet(socket, name)).listen(0, LOOPBACK);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
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
    door.lead({ kind: 'Leader', host: LOOPBACK, port: await named('there') });
    const { socket, heard } = await knock(door);
    expect(heard).toBe('there');
    socket.write('and back');
    expect(String((await once(socket, 'data'))[0])).toBe('and back');
  });

  test('ends open connections when somebody else leads, so that they come again', async () => {
    const door = await aDoor();
    door.lead({ kind: 'Leader', host: LOOPBACK, port: await named('first') });
    const { socket } = await knock(door);
    const closed = once(socket, 'close');
    door.lead({ kind: 'Leader', host: LOOPBACK, port: await named('second') });
    await closed;
    expect((await knock(door)).heard).toBe('second');
  });

  test('ends a connection whose leader is not there', async () => {
    const door = await aDoor();
    const gone = createServer().listen(0, LOOPBACK);
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    door.lead({ kind: 'Leader', host: LOOPBACK, port });
    expect((await knock(door)).heard).toBe('closed');
  });
});
