/**
 * A probe by a program: it is started without a shell, once for each instance, and its exit status is the answer. It has
 * a session of its own, so that at its end, or when its time is over, nothing that it started is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { ProbeMetric } from '../../model/check.ts';
import type { Instance } from '../../model/instance.ts';
import { instanceLabel } from '../instance-round.ts';
import { excerpt, type InstanceAnswer } from './verdict.ts';

/** What is kept of its output; the rest is read and thrown away, so that it never waits for us. */
const MOST_BYTES = 16 * 1024;

/** Variables that a program gets from ours; nothing else of the controller's environment is passed on. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'];

export interface CommandProbe {
  readonly metric: Extract<ProbeMetric, { kind: 'command' }>;
  readonly instance: Instance;
  readonly signal: AbortSignal;
}

/** Rejects where it could not be started, did not end in time, or was ended by a signal. */
export async function probeCommand({ metric, instance, signal }: CommandProbe): Promise<InstanceAnswer> {
  if (signal.aborted) throw new Error('the round was ended before it was asked');
  const [program = '', ...parts] = metric.command.map((part) => filled(part, instance));
  const child = spawn(program, parts, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
  });
  const output = new Output(child);
  const bounds = AbortSignal.any([signal, AbortSignal.timeout(metric.timeout)]);
  const kill = () => killGroup(child);
  bounds.addEventListener('abort', kill, { once: true });
  const closed = Promise.race([once(child, 'close'), once(bounds, 'abort')]);
  closed.catch(() => undefined);
  try {
    const [code, endedBy] = (await once(child, 'exit')) as [number | null, string | null];
    if (signal.aborted) throw new Error('the round was ended before it answered');
    if (bounds.aborted) throw new Error(`${program} did not end within ${metric.timeout} ms`);
    // What it left behind may hold its output open.
    kill();
    await closed;
    if (code === null) throw new Error(`${program} was ended by ${endedBy}${excerpt(output.text)}`);
    const detail = `${instanceLabel(instance)}: ${program} exited with ${code}${excerpt(output.text)}`;
    return { isGood: code === 0, detail };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new Error(`${program} cannot be started: ${(error as Error).message}`, { cause: error });
  } finally {
    bounds.removeEventListener('abort', kill);
    output.close();
  }
}

function environment(): Record<string, string | undefined> {
  return Object.fromEntries(INHERITED.map((name) => [name, process.env[name]]));
}

/** Replaces `${version}`, `${service}` and `${address}`. */
function filled(part: string, { version, service, address: { host, port } }: Instance): string {
  const values: Readonly<Record<string, string>> = {
    version,
    service,
    address: `${host.includes(':') ? `[${host}]` : host}:${port}`,
  };
  return part.replaceAll(/\$\{(version|service|address)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** Ends the program and all that it started and left in its session's group. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left of it.
  }
}

/** The beginning of what a program wrote. */
class Output {
  readonly #streams: readonly Readable[];
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor({ stdout, stderr }: ChildProcess) {
    this.#streams = [stdout, stderr].filter((stream) => stream !== null);
    for (const stream of this.#streams) stream.on('data', (chunk: Buffer) => this.#keep(chunk));
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  close(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #keep(chunk: Buffer): void {
    const rest = MOST_BYTES - this.#size;
    if (rest <= 0) return;
    this.#chunks.push(chunk.subarray(0, rest));
    this.#size += Math.min(chunk.length, rest);
  }
}
