/**
 * A gRPC client in a process of its own, as tests use it: started with an xDS bootstrap that names our server, driven
 * by the commands of protocol.ts, and stopped by its own process id.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import {
  type Answer,
  type Command,
  type Headers,
  type Outcomes,
  TARGET_VARIABLE,
  type Watched,
} from './protocol.ts';

/** The program of a client. */
export interface ClientProgram {
  readonly command: string;
  readonly arguments: readonly string[];
}

export interface ProxylessClient {
  /** Calls, some at a time. */
  calls(headers: Headers, count?: number, parallel?: number): Promise<Outcomes>;
  /** Calls one after the other until `finish`. */
  begin(name: string, headers: Headers): Promise<void>;
  made(name: string): Promise<number>;
  finish(name: string): Promise<Outcomes>;
  watch(name: string, headers: Headers): Promise<void>;
  watched(name: string): Promise<Watched>;
  /** What it wrote to standard error. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts a client. `xdsPort` is our server's on loopback, `service` what it calls as `xds:///SERVICE`. */
export async function startClient(
  program: ClientProgram,
  at: { nodeId: string; xdsPort: number; service: string },
): Promise<ProxylessClient> {
  const bootstrap = {
    // The client in Node insists on a locality.
    node: { id: at.nodeId, locality: {} },
    xds_servers: [
      {
        server_uri: `127.0.0.1:${at.xdsPort}`,
        channel_creds: [{ type: 'insecure' }],
        server_features: ['xds_v3'],
      },
    ],
  };
  const child = spawn(program.command, program.arguments, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap),
      [TARGET_VARIABLE]: `xds:///${at.service}`,
    },
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-20_000)));
  const waiting = new Map<number, (answer: Answer) => void>();
  const exited = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      for (const [id, settle] of waiting)
        settle({ id, fault: `the client ended (${signal ?? code}): ${log}` });
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.stdin.on('error', () => {});
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });

  let lastId = 0;
  const ask = (command: Command): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = (lastId += 1);
      waiting.set(id, ({ fault, result }) =>
        fault === undefined ? resolve(result) : reject(new Error(fault)),
      );
      if (child.exitCode !== null || child.signalCode !== null)
        reject(new Error(`the client has ended: ${log}`));
      else child.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    });

  return {
    calls: (headers, count = 1, parallel = 1) =>
      ask({ kind: 'calls', headers, count, parallel }) as Promise<Outcomes>,
    begin: (name, headers) => ask({ kind: 'begin', name, headers }) as Promise<void>,
    made: (name) => ask({ kind: 'made', name }) as Promise<number>,
    finish: (name) => ask({ kind: 'finish', name }) as Promise<Outcomes>,
    watch: (name, headers) => ask({ kind: 'watch', name, headers }) as Promise<void>,
    watched: (name) => ask({ kind: 'watched', name }) as Promise<Watched>,
    log: () => log,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
