/**
 * Starts a real Postgres for a test, on a free port of loopback and in a folder of its own, durable as in production
 * (`fsync`, `synchronous_commit`), and gives databases that are empty. The programs are those that findTool of
 * scripts/tools.ts finds. Postgres refuses to run as root, so as root it runs as `nobody`.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, parse } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { findTool } from '../../scripts/tools.ts';
import { freePort } from './free-port.ts';
import { notRun } from './not-run.ts';

/** A running server. */
export interface PostgresServer {
  /** The connection string of a new, empty database. */
  database(): Promise<string>;
  /** Stops it as `fast` (SIGINT: connections are broken off) or with `kill` (SIGKILL, as a crash), and starts it again. */
  restart(how: 'fast' | 'kill'): Promise<void>;
  /** The last part of the log. */
  log(): string;
  /** Stops the process, waits for its end and removes its folder. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Settings beside those that every test has, as on the command line: `{ shared_buffers: '1GB' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

const START_WITHIN_MS = 60_000;
const PORTS_TRIED = 3;
const run = promisify(execFile);

/** The user that the server runs as: us, or `nobody` where we are root. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** Starts a server and waits until it answers. Where there is none, the running test ends as not run. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const tool = findTool('postgres');
  if (tool.kind === 'missing') return notRun('a test with a real Postgres', tool.why);
  return startPostgresWith(dirname(tool.path), options);
}

/** Starts a server whose programs are in this folder. Rejects with the end of its log where it does not start. */
export async function startPostgresWith(
  programs: string,
  { settings = {} }: PostgresOptions,
): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-postgres-'));
  if (user.uid !== undefined) await chown(folder, user.uid, user.gid);
  const bin = await reachable(programs, folder);
  // Unpacked and not installed, it has the libraries that came with it beside it.
  const as = {
    ...user,
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: join(bin, '../lib') },
  };
  const data = join(folder, 'data');
  const logFile = join(folder, 'postgres.log');
  const readLog = (): string => readFileSync(logFile, 'utf8').slice(-20_000);
  // Writing the new cluster out is left to the first checkpoint; what the tests commit is synchronous.
  await run(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '-N'],
    as,
  );

  const begin = async (port: number): Promise<ChildProcess | undefined> => {
    const all = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: folder,
      max_connections: '200',
      fsync: 'on',
      synchronous_commit: 'on',
      jit: 'off',
      ...settings,
    };
    const log = await open(logFile, 'a');
    const parameters = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(bin, 'postgres'), ['-D', data, ...parameters], {
      ...as,
      stdio: ['ignore', log.fd, log.fd],
    });
    await log.close();
    const deadline = Date.now() + START_WITHIN_MS;
    while (!(await answers(url(port, 'postgres')))) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        return undefined;
      }
      await sleep(20);
    }
    return child;
  };

  let child: ChildProcess | undefined;
  let port = 0;
  // It cannot take port 0 and say which it got, so another program may take the free port in between.
  for (let tried = 1; child === undefined; tried += 1) {
    if (tried > PORTS_TRIED) throw new Error(`Postgres ended at its start:\n${readLog()}`);
    port = await freePort();
    child = await begin(port);
  }
  let databases = 0;
  return {
    async database() {
      const name = `test${(databases += 1)}`;
      await administer(url(port, 'postgres'), `CREATE DATABASE ${name}`);
      return url(port, name);
    },
    async restart(how) {
      await end(child, how === 'fast' ? 'SIGINT' : 'SIGKILL');
      const deadline = Date.now() + START_WITHIN_MS;
      // After SIGKILL its children take a moment to notice; until then a new server refuses to start.
      for (child = await begin(port); child === undefined; child = await begin(port)) {
        if (Date.now() > deadline) throw new Error(`Postgres did not come back:\n${readLog()}`);
        await sleep(50);
      }
    },
    log: readLog,
    async stop() {
      await end(child, 'SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function url(port: number, database: string): string {
  return `postgres://postgres@127.0.0.1:${port}/${database}`;
}

/** Runs one statement on a connection of its own. */
export async function administer(connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function answers(connectionString: string): Promise<boolean> {
  return administer(connectionString, 'SELECT 1').then(
    () => true,
    () => false,
  );
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  await ended;
}

/** The folder of the programs, or a copy of what belongs to it where the server's user cannot read it, as under /root. */
async function reachable(programs: string, folder: string): Promise<string> {
  if (user.uid === undefined || openToAll(programs)) return programs;
  const [root = '', below = ''] = programs.split('/usr/lib/postgresql/');
  await chmod(folder, 0o755);
  for (const part of [`lib/postgresql/${parse(below).dir}`, `share/postgresql/${parse(below).dir}`]) {
    await cp(join(root, 'usr', part), join(folder, 'usr', part), { recursive: true });
  }
  return join(folder, 'usr/lib/postgresql', below);
}

function openToAll(path: string): boolean {
  const { mode } = statSync(path);
  return (mode & 0o001) !== 0 && (path === '/' || openToAll(dirname(path)));
}
