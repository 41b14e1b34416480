/** The steps that are the same for both sides: thousands come, and come again after kill -9. */
import type { Arrivals, Crowd, Load } from './load.ts';
import { cpuOf, restingMemoryOf, wallClock } from './processes.ts';
import type { Held } from './run.ts';

/** How many come in a second at first. After a restart they come when they notice. */
const COME_PER_SECOND = 2_000;

/** The processes that hold the streams; other ones after a restart. */
type Servers = () => readonly number[];

/** Opens all streams and waits until each is answered. */
export async function come(step: {
  readonly load: Load;
  readonly servers: Servers;
  readonly crowd: Omit<Crowd, 'spreadMs'>;
  readonly restMs: number;
}): Promise<Pick<Held, 'memoryKb' | 'comeCpuUs'>> {
  const { load, servers, crowd, restMs } = step;
  const memory = await restingMemoryOf(servers(), restMs);
  const cpu = cpuOfAll(servers());
  await load.open({ ...crowd, spreadMs: (crowd.count / COME_PER_SECOND) * 1_000 });
  await load.registered({ since: 0, atLeast: crowd.count });
  const used = cpuOfAll(servers()) - cpu;
  return {
    comeCpuUs: (used * 1_000) / crowd.count,
    memoryKb: ((await restingMemoryOf(servers(), restMs)) - memory) / crowd.count,
  };
}

/** Kills what holds streams, starts it again, and waits until all are answered again. */
export async function comeAgain(step: {
  readonly load: Load;
  /** Streams that are cut. */
  readonly atLeast: number;
  readonly servers: Servers;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}): Promise<Pick<Held, 'again' | 'againCpuUs' | 'restartMs'>> {
  const { load, atLeast, servers, kill, start } = step;
  const since = wallClock();
  await kill();
  const left = cpuOfAll(servers());
  await start();
  const restartMs = wallClock() - since;
  const again: Arrivals = await load.registered({ since, atLeast });
  return { again, restartMs, againCpuUs: ((cpuOfAll(servers()) - left) * 1_000) / again.count };
}

export function cpuOfAll(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
}
