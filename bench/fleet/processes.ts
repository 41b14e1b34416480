/** What a process has taken of the machine, as Linux says in /proc. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Length of a clock tick of /proc in milliseconds: the same on every Linux that Node runs on. */
const TICK_MS = 10;
const LOOKS = 4;
/** Memory that changes by less is at rest. */
const RESTS_WITHIN = 0.01;
const RESTS_AT_LATEST_MS = 20_000;

/** Processor time of all threads since the process began, in milliseconds. */
export function cpuOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program stands in parentheses and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory in KB. */
function memoryOf(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? Number.NaN);
}

/** Resident memory of several processes in KB, once it has come to rest: several looks, a part of `restMs` apart, agree. */
export async function restingMemoryOf(pids: readonly number[], restMs: number): Promise<number> {
  const seen: number[] = [];
  const every = restMs / (LOOKS + 2);
  for (let waited = 0; waited < RESTS_AT_LATEST_MS; waited += every) {
    seen.push(pids.reduce((sum, pid) => sum + memoryOf(pid), 0));
    const last = seen.slice(-LOOKS);
    const isAtRest = Math.max(...last) - Math.min(...last) < RESTS_WITHIN * Math.max(...last);
    if (last.length === LOOKS && isAtRest) break;
    await sleep(every);
  }
  return seen.at(-1) ?? Number.NaN;
}

/** Milliseconds since 1970, with fractions. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
