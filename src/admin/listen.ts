/**
 * Where the admin API listens: a Unix socket that only its owner may use, and a TCP address where one is asked for.
 * What leaves are plain net servers; the gRPC server takes the connections that they accept.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { type AddressInfo, createConnection, createServer, isIP, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { SocketAddress } from '../model/spec.ts';

/** Longest path that Linux accepts for a Unix socket, in bytes (`sun_path` without its closing zero). */
const LONGEST_SOCKET_PATH = 107;

/** The place is taken, or cannot be used. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** A place that is listened on. */
export interface Listening {
  /** `unix:/path` or `host:port`, as a client's `--server` takes it. */
  readonly address: string;
  close(): Promise<void>;
}

type Accept = (socket: Socket) => void;

/** Listens on a Unix socket with mode 0600. A socket file that nobody answers on is replaced. */
export async function listenOnSocket(path: string, accept: Accept): Promise<Listening> {
  const length = Buffer.byteLength(path);
  if (length > LONGEST_SOCKET_PATH) {
    throw new ListenError(
      `the socket path ${path} has ${length} bytes, Linux allows ${LONGEST_SOCKET_PATH}; give a shorter one with --admin-socket`,
    );
  }
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ListenError(`cannot make the folder of the admin socket ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  await clear(path);
  const server = createServer(accept);
  // The file is made inside listen(); the mask keeps it from being open to others for even a moment.
  const mask = process.umask(0o177);
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new ListenError(`cannot listen on ${path}: ${error.message}`, { cause: error })),
    );
    server.listen(path, resolve);
  });
  process.umask(mask);
  await listening;
  chmodSync(path, 0o600);
  return { address: `unix:${path}`, close: () => closed(server) };
}

/** Removes a socket file that nobody answers on; refuses to touch anything else. */
async function clear(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new ListenError(
      `${path} exists and is not a socket; remove it, or give another path with --admin-socket`,
    );
  }
  if (await answers(path)) {
    throw new ListenError(
      `another controller listens on ${path}; stop it, or give another path with --admin-socket (and another --data-dir)`,
    );
  }
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createConnection(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else
        reject(
          new ListenError(`cannot tell whether somebody listens on ${path}: ${error.message}`, {
            cause: error,
          }),
        );
    });
  });
}

/** Listens on `host:port` (`[::1]:18001` for IPv6; port 0: any free one). */
export async function listenOnAddress(address: string, accept: Accept): Promise<Listening> {
  const { host, port } = requireAddress(address);
  const server = createServer({ noDelay: true }, accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new ListenError(
          error.code === 'EADDRINUSE'
            ? `the admin address ${address} is taken; give another with --admin-address`
            : `cannot listen on the admin address ${address}: ${error.message}`,
          { cause: error },
        ),
      ),
    );
    server.listen({ host, port }, resolve);
  });
  const bound = server.address() as AddressInfo;
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { address: `${shown}:${bound.port}`, close: () => closed(server) };
}

/** Whether only this machine can reach the address. */
export function isLoopback(address: string): boolean {
  return isLoopbackHost(requireAddress(address).host);
}

/** Whether a host, without a port, is this machine alone. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function requireAddress(text: string): SocketAddress {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new ListenError(
    `${JSON.stringify(text)} is not an address; write host:port, for example --admin-address 127.0.0.1:18001`,
  );
}

/** The parts of `host:port` or `[IPv6]:port`; undefined where the text is neither. */
export function parseAddress(text: string): SocketAddress | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
