/**
 * One run of the benchmark: starts a server, lets the load measure it, stops the server. Where the machine can pin
 * processes, the server has one processor and the load another, so that neither takes time from the other.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import type { Content, ShapeName } from './content.ts';

export type ServerName = 'switchyard' | 'go-control-plane';

/** Figures of one run. Times are milliseconds where the name does not say otherwise. */
export interface Figures {
  /** From the first connection until the last stream has everything. */
  readonly stormMs: number;
  readonly stormCpuUsPerStream: number;
  readonly memoryKbPerStream: number;
  readonly flips: readonly { readonly median: number; readonly p99: number; readonly last: number }[];
  /** The server's processor time for a push and its acknowledgement, in microseconds. */
  readonly cpuUsPerPush: number;
  readonly loadCpuUsPerPush: number;
  /** Bytes of the first responses: clusters, endpoints, listeners, routes. */
  readonly responseBytes: readonly number[];
  readonly flipBytes: number;
  /** Responses of all types over the run. */
  readonly responses: number;
}

export interface RunOptions {
  readonly server: ServerName;
  readonly shape: ShapeName;
  readonly content: Content;
  /** Where the content is, encoded for the peer. */
  readonly contentFile: string;
  readonly programs: { readonly peer: string; readonly load: string };
  readonly streams: number;
  readonly flips: number;
  /** Flips before those that are measured. */
  readonly warm: number;
  /** Options for the Node of our server, for example `--cpu-prof`. */
  readonly nodeOptions: readonly string[];
}

type Process = ChildProcessByStdio<Writable, Readable, Readable>;

/** Whether servers and load get processors of their own. */
export const pinned = availableParallelism() >= 2 && onPath('taskset');

/** Measures one server. Rejects with what the server or the load said when they fail. */
export async function runOnce(options: RunOptions): Promise<Figures> {
  const server = start(serverCommand(options), 0);
  try {
    const ports = await firstLine(server);
    const load = start([options.programs.load], 1);
    load.stdin.end(
      JSON.stringify({
        target: `127.0.0.1:${ports.xds}`,
        control: `http://127.0.0.1:${ports.control}`,
        pid: server.pid,
        streams: options.streams,
        flips: options.flips,
        warm: options.warm,
        endpoints: options.content.endpoints,
        routes: options.content.routes,
      }),
    );
    const said = text(load.stderr);
    try {
      return (await json(load.stdout)) as Figures;
    } catch (error) {
      throw new Error(`the load ended without figures, against ${options.server}: ${await said}`, {
        cause: error,
      });
    }
  } finally {
    await stop(server);
  }
}

function serverCommand({ server, shape, contentFile, programs, nodeOptions }: RunOptions): string[] {
  switch (server) {
    case 'switchyard':
      return [process.execPath, ...nodeOptions, join(import.meta.dirname, 'switchyard-process.ts'), shape];
    case 'go-control-plane':
      return [programs.peer, contentFile];
  }
}

/** With a processor of its own, where that can be; taskset becomes the program, so the process id is the program's. */
function start(command: readonly string[], processor: number): Process {
  const [program = '', ...rest] = pinned ? ['taskset', '-c', String(processor), ...command] : command;
  return spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
}

async function firstLine(server: Process): Promise<{ xds: number; control: number }> {
  const said = text(server.stderr);
  for await (const line of createInterface({ input: server.stdout })) return JSON.parse(line);
  throw new Error(`the server ended before it served: ${await said}`);
}

async function stop(server: Process): Promise<void> {
  const ended = new Promise<void>((resolve) => server.once('close', () => resolve()));
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGTERM');
  await ended;
}

function onPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
