/**
 * Starts a real Envoy for a test with a given bootstrap, in a folder of its own, and asks its admin interface. The
 * program is the one that findTool of scripts/tools.ts finds.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool } from '../../scripts/tools.ts';
import { notRun } from './not-run.ts';

/** A running Envoy. */
export interface Envoy {
  readonly pid: number;
  /** `http://127.0.0.1:PORT` of the admin interface. */
  readonly admin: string;
  /** GET on the admin interface, as text. */
  text(path: string): Promise<string>;
  /** POST on the admin interface. */
  post(path: string): Promise<string>;
  /** `/config_dump?include_eds` as JSON. */
  configDump(): Promise<ConfigDump>;
  /** The value of a counter or gauge; 0 where Envoy has not made it yet. */
  stat(name: string): Promise<number>;
  /** Statistics whose names match the regular expression. */
  stats(filter: string): Promise<ReadonlyMap<string, number>>;
  /** The last part of the log. */
  log(): string;
  /** Sends a signal to the process: SIGSTOP and SIGCONT pause and resume it. */
  signal(name: NodeJS.Signals): void;
  /** Stops the process at once, waits for its end and removes its folder. */
  stop(): Promise<void>;
}

export interface ConfigDump {
  readonly configs: readonly Readonly<Record<string, unknown>>[];
}

const STOP_AFTER_MS = 5_000;
const START_WITHIN_MS = 30_000;

/** The version of the Envoy that tests use, for example `1.40.0`. */
export function envoyVersion(): string {
  const output = spawnSync(programOrNotRun('Envoy'), ['--version'], { encoding: 'utf8' }).stdout;
  return /\/(\d+\.\d+\.\d+)\//.exec(output)?.[1] ?? output.trim();
}

function programOrNotRun(what: string): string {
  const tool = findTool('envoy');
  return tool.kind === 'found' ? tool.path : notRun(what, tool.why);
}

/**
 * Starts an Envoy and waits until its admin interface answers. The bootstrap's `admin` is replaced by a free port on
 * loopback. `args` are more command line arguments. Rejects with the end of the log where it does not start.
 */
export async function startEnvoy(bootstrap: object, args: readonly string[] = []): Promise<Envoy> {
  const program = programOrNotRun('a test with a real Envoy');
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-envoy-'));
  const files = {
    config: join(folder, 'bootstrap.json'),
    address: join(folder, 'admin-address'),
    log: join(folder, 'envoy.log'),
  };
  const admin = { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } };
  await writeFile(files.config, JSON.stringify({ ...bootstrap, admin }));
  const log = await open(files.log, 'w');
  const child = spawn(
    program,
    [
      '--config-path',
      files.config,
      '--admin-address-path',
      files.address,
      '--use-dynamic-base-id',
      '--concurrency',
      '1',
      '--log-level',
      'info',
      ...args,
    ],
    { stdio: ['ignore', log.fd, log.fd] },
  );
  await log.close();
  let ended = false;
  const end = new Promise<void>((resolve) => {
    const done = (): void => {
      ended = true;
      resolve();
    };
    child.once('exit', done);
    child.once('error', done);
  });
  const readLog = (): string => (existsSync(files.log) ? readFileSync(files.log, 'utf8').slice(-20_000) : '');
  const stop = async (): Promise<void> => {
    if (!ended) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await Promise.race([end, sleep(STOP_AFTER_MS, undefined, { ref: false })]);
      if (!ended) child.kill('SIGKILL');
      await end;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const fail = async (why: string): Promise<never> => {
    const tail = readLog();
    await stop();
    throw new Error(`Envoy ${why}:\n${tail}`);
  };

  const deadline = Date.now() + START_WITHIN_MS;
  let address = '';
  for (;;) {
    if (ended || child.pid === undefined) return fail('ended at its start');
    address = await readFile(files.address, 'utf8').catch(() => '');
    if (address !== '' && (await answers(`http://${address}/server_info`))) break;
    if (Date.now() > deadline) return fail('did not open its admin interface');
    await sleep(20);
  }
  return envoyOf({
    base: `http://${address}`,
    pid: child.pid,
    readLog,
    stop,
    signal: (name) => child.kill(name),
  });
}

function envoyOf(from: {
  base: string;
  pid: number;
  readLog: () => string;
  stop: () => Promise<void>;
  signal: (name: NodeJS.Signals) => void;
}): Envoy {
  const ask = async (method: string, path: string): Promise<string> => {
    const response = await fetch(`${from.base}${path}`, { method });
    const body = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${body}`);
    return body;
  };
  const stats = async (filter: string): Promise<ReadonlyMap<string, number>> => {
    const lines = await ask('GET', `/stats?filter=${encodeURIComponent(filter)}`);
    const pairs = [...lines.matchAll(/^(.+): (\d+)$/gm)];
    return new Map(pairs.map(([, name = '', value = '']) => [name, Number(value)]));
  };
  return {
    pid: from.pid,
    admin: from.base,
    text: (path) => ask('GET', path),
    post: (path) => ask('POST', path),
    configDump: async () => JSON.parse(await ask('GET', '/config_dump?include_eds')) as ConfigDump,
    stat: async (name) => (await stats(`^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)).get(name) ?? 0,
    stats,
    log: from.readLog,
    signal: from.signal,
    stop: from.stop,
  };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}
