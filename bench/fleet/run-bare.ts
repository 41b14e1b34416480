/** The peer's side: one bare process that holds the same streams, the delegates' through the same kind of gateway. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { FollowResponseSchema } from '../../src/gen/switchyard/watcher/v1/watcher_pb.js';
import { Load } from './load.ts';
import { cpuOf, wallClock } from './processes.ts';
import type { Figures, Informed, RunOptions } from './run.ts';
import { come, comeAgain } from './steps.ts';
import { artifactOf, FIRST, SERVICE, World } from './world.ts';

export async function runBare(options: RunOptions): Promise<Figures> {
  await using closing = new AsyncDisposableStack();
  const world = await World.open();
  closing.defer(() => world.close());
  const bare = new Bare(world.otherPorts[0] ?? 0);
  closing.defer(() => bare.kill());
  await bare.start();
  await world.apply({ wanted: FIRST, addresses: { [FIRST]: [bare.address] }, more: {} });
  await world.routed();
  const [watchers, delegates] = [new Load(options.load), new Load(options.load)];
  closing.defer(() => watchers.close());
  closing.defer(() => delegates.close());
  const { restMs } = options;
  const crowd = { service: SERVICE, version: FIRST, tenants: options.tenants };
  const servers = (): readonly number[] => (bare.pid === undefined ? [] : [bare.pid]);
  const watching = await come({
    load: watchers,
    servers,
    restMs,
    crowd: { ...crowd, role: 'watcher', count: options.watchers, target: bare.address },
  });
  const working = await come({
    load: delegates,
    servers,
    restMs,
    crowd: { ...crowd, role: 'delegate', count: options.delegates, target: `127.0.0.1:${world.gatewayPort}` },
  });
  const informed: Informed[] = [];
  for (let generation = 1; generation <= options.versions; generation += 1) {
    const version = `v${generation + 1}`;
    await sleep(restMs);
    const cpu = cpuOf(bare.pid ?? 0);
    const since = wallClock();
    await bare.tell(goalState(generation, version));
    const told = await watchers.informed({ since, version });
    informed.push({ ...told, cpuUs: ((cpuOf(bare.pid ?? 0) - cpu) * 1_000) / told.count });
  }
  // Both come again at once: the same process held them.
  const again = { atLeast: 0, servers, kill: () => bare.kill(), start: () => bare.start() };
  const watchingAgain = await comeAgain({ ...again, load: watchers, atLeast: options.watchers });
  const workingAgain = await comeAgain({ ...again, load: delegates, atLeast: options.delegates });
  return {
    watchers: { ...watching, ...watchingAgain },
    delegates: { ...working, ...workingAgain },
    informed,
  };
}

/** What our controller says: the primary, the candidate and another one. */
function goalState(generation: number, version: string): Buffer {
  const message = create(FollowResponseSchema, {
    goalState: {
      service: SERVICE,
      generation: BigInt(generation + 1),
      replaces: BigInt(generation),
      versions: [version, 'v0', FIRST].map((name) => ({
        version: name,
        artifact: { service: SERVICE, ...artifactOf(name) },
      })),
    },
    heartbeat: durationFromMs(30_000),
  });
  return Buffer.from(toBinary(FollowResponseSchema, message));
}

/** The peer's process, at a port that stays its own. */
class Bare {
  #process: ChildProcessByStdio<null, Readable, null> | undefined;
  readonly #port: number;
  #control = 0;

  constructor(port: number) {
    this.#port = port;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const program = join(import.meta.dirname, 'bare-process.ts');
    const child = spawn(process.execPath, [program, String(this.#port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) {
      ({ control: this.#control } = JSON.parse(line) as { control: number });
      return;
    }
    throw new Error('the bare server ended before it served');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async tell(message: Buffer): Promise<void> {
    await fetch(`http://127.0.0.1:${this.#control}`, { method: 'POST', body: message });
  }
}
