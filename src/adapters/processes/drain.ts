/**
 * Empties an instance before it is stopped: it is told to take no more work, and it is waited for until it has none or
 * has ended. Nothing is killed for being slow. Where it does not know how to be told, SIGTERM tells it.
 */
import type { Milliseconds } from '../../model/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import { type HttpReply, sendHttp } from '../http-request.ts';
import { isAlive, type ProcessIdentity, sendSignal } from './identity.ts';

/** How instances are emptied. The paths are asked on the port of the instance. */
export interface DrainSpec {
  /** POST: take no more work, and end when the last is done. */
  readonly path: string;
  /** GET: JSON whose `openTasks` is the number of tasks that are not done or not acknowledged. */
  readonly statusPath: string;
  /** Time after which what is open is given up; absent: never. */
  readonly limit?: Milliseconds;
}

export interface Drain {
  readonly spec: DrainSpec;
  readonly port: number;
  readonly main: ProcessIdentity;
  /** How long one that has nothing to do any more gets to end by itself. */
  readonly grace: Milliseconds;
  readonly clock: Clock;
  /** Aborted: nobody waits any more. */
  readonly signal: AbortSignal;
  /** Called with one sentence whenever it changes. */
  readonly onProgress: (sentence: string) => void;
}

const LOOK_INTERVAL: Milliseconds = 200;
const TIMEOUT: Milliseconds = 5000;
const MAX_BYTES = 64 * 1024;

/** Resolves when it has ended, when it has nothing open, or at the limit. Rejects with the signal's reason. */
export async function drain(work: Drain): Promise<void> {
  const { spec, main, clock, signal, onProgress } = work;
  let told = false;
  let idleFor = 0;
  let looked = clock.now();
  for (let elapsed = 0; isAlive(main); elapsed += Math.max(0, clock.now() - looked)) {
    looked = clock.now();
    signal.throwIfAborted();
    if (spec.limit !== undefined && elapsed >= spec.limit) {
      onProgress('its drain took longer than is allowed: what is open is given up');
      return;
    }
    const open = told ? await openTasks(work) : undefined;
    if (!told) told = await tell(work);
    else
      onProgress(
        open === undefined ? 'draining; it does not say what is open' : `draining: ${open} tasks open`,
      );
    if (open === 0 && idleFor >= work.grace) return;
    idleFor = open === 0 ? idleFor + LOOK_INTERVAL : 0;
    await clock.sleep(LOOK_INTERVAL, signal);
  }
}

/** Whether it has been told. */
async function tell(work: Drain): Promise<boolean> {
  const { spec, main, onProgress } = work;
  try {
    const { status } = await ask(work, 'POST', spec.path);
    if (status >= 200 && status < 300) return true;
    if (![404, 405, 501].includes(status)) throw new Error(`answered ${status}`);
    onProgress(`draining: it knows no ${spec.path}, so SIGTERM tells it`);
    return sendSignal(main, 'SIGTERM');
  } catch (error) {
    onProgress(`cannot be told to drain, and is asked again: ${(error as Error).message}`);
    return false;
  }
}

/** Undefined where it does not say. */
async function openTasks(work: Drain): Promise<number | undefined> {
  try {
    const { body } = await ask(work, 'GET', work.spec.statusPath);
    const { openTasks: open } = JSON.parse(body) as { openTasks?: unknown };
    return typeof open === 'number' && Number.isSafeInteger(open) && open >= 0 ? open : undefined;
  } catch {
    return undefined;
  }
}

function ask({ port, signal }: Drain, method: string, path: string): Promise<HttpReply> {
  return sendHttp({
    target: { protocol: 'http:', host: '127.0.0.1', port, path },
    method,
    timeout: TIMEOUT,
    maxBytes: MAX_BYTES,
    signal,
  });
}
