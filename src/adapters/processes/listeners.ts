/**
 * Who listens on a TCP port of this machine: a port and the processes of an instance enter, a verdict leaves. An
 * answer on a port proves nothing when a stranger gave it, so a new instance is ready only when the socket is its own.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { isForbidden, isGone } from './proc.ts';

/** One listening socket. */
export interface Listener {
  /** The address in the kernel's notation: eight (IPv4) or 32 (IPv6) hexadecimal digits. */
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/**
 * `Own`: connections to 127.0.0.1 reach the instance. `Stranger`: they reach somebody else. `Nobody`: nothing
 * listens. `Unknown`: the open files of the instance may not be read.
 */
export type ListenerVerdict = 'Own' | 'Stranger' | 'Nobody' | 'Unknown';

/** Parses /proc/net/tcp or /proc/net/tcp6: the sockets in state LISTEN (0A). */
export function parseListeners(text: string): Listener[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A')
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':');
      return { address, port: Number.parseInt(port, 16), inode: fields[9] ?? '' };
    });
}

/** The sockets that listen on a port, on any address. */
export async function listenersOn(port: number): Promise<readonly Listener[]> {
  const texts = await Promise.all(['tcp', 'tcp6'].map(readTable));
  return texts.flatMap(parseListeners).filter((listener) => listener.port === port);
}

/** Empty where the kernel has no such table: one without IPv6 has no tcp6. */
async function readTable(name: string): Promise<string> {
  try {
    return await readFile(`/proc/self/net/${name}`, 'utf8');
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}

/**
 * The sockets that the kernel gives a connection to 127.0.0.1: those bound to that address go before those bound to
 * any. Several are one port shared by SO_REUSEPORT.
 */
export function reachedByLoopback(listeners: readonly Listener[]): readonly Listener[] {
  for (const addresses of [LOOPBACK, ANY_IPV4, ANY_IPV6]) {
    const reached = listeners.filter(({ address }) => addresses.includes(address));
    if (reached.length > 0) return reached;
  }
  return [];
}

/** The kernel prints addresses as 32-bit words in the machine's byte order, which is little-endian wherever Node runs. */
const LOOPBACK = ['0100007F', '0000000000000000FFFF00000100007F'];
const ANY_IPV4 = ['00000000', '0000000000000000FFFF000000000000'];
const ANY_IPV6 = ['00000000000000000000000000000000'];

/** Whether connections to 127.0.0.1 on `port` reach one of the processes. `family` is asked only where `main` is not enough. */
export async function whoListens(question: {
  port: number;
  main: number;
  family: () => Promise<readonly number[]>;
}): Promise<ListenerVerdict> {
  const { port, main, family } = question;
  const wanted = new Set(reachedByLoopback(await listenersOn(port)).map(({ inode }) => inode));
  if (wanted.size === 0) return 'Nobody';
  let unknown = false;
  for (const pids of [async () => [main], family]) {
    for (const pid of await pids()) {
      const open = await openSockets(pid);
      if (open === undefined) unknown = true;
      for (const inode of open ?? []) wanted.delete(inode);
      if (wanted.size === 0) return 'Own';
    }
  }
  return unknown ? 'Unknown' : 'Stranger';
}

/** Inodes of the sockets that a process holds; undefined when we may not look. */
async function openSockets(pid: number): Promise<readonly string[] | undefined> {
  const folder = `/proc/${pid}/fd`;
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (isGone(error)) return [];
    if (isForbidden(error)) return undefined;
    throw error;
  }
  const targets = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}
