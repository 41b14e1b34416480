/**
 * Runs the agent as a process of its own, from the release that has proved itself, and tries a new one: it must prove
 * itself within a time, else the one before runs again and the new one is remembered as bad. Delegates are sessions of
 * their own and notice nothing of it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Logger } from 'pino';
import type { Milliseconds } from '../../model/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Slots, Trial } from './slots.ts';

/** The agent ends with this code when there is a release to try. */
export const UPGRADE_EXIT_CODE = 75;
/** What the agent tells the launcher once it has proved itself. */
export const PROVEN = 'proven';
/** Names the slot in the agent's environment. */
export const SLOT_VARIABLE = 'SWITCHYARD_WATCHER_SLOT';

export interface LauncherOptions {
  readonly slots: Slots;
  /** What stands for `switchyard` in the installed release. */
  readonly installed: readonly string[];
  /** What follows it. */
  readonly arguments: readonly string[];
  /** How long a new release may take to prove itself. */
  readonly proveWithin: Milliseconds;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted: the agent is told to stop, and `run` resolves when it has. */
  readonly signal: AbortSignal;
}

const STOP_GRACE: Milliseconds = 15_000;
const LONGEST_DELAY: Milliseconds = 60_000;
/** An agent that ran so long had no trouble to start. */
const STABLE: Milliseconds = 60_000;

/** How an agent's process ended. */
interface End {
  readonly code: number | null;
  readonly text: string;
  readonly wasProven: boolean;
}

/** Until the signal is aborted. */
export async function runLauncher(options: LauncherOptions): Promise<void> {
  const { slots, clock, log, signal } = options;
  let failures = 0;
  while (!signal.aborted) {
    const trial = await slots.trial();
    if (trial !== undefined) {
      await runTrial(options, trial);
      continue;
    }
    const startedAt = clock.now();
    const current = await slots.current();
    const end = await runAgent({
      options,
      command: current?.command ?? options.installed,
      slot: current?.name ?? 'installed',
    });
    if (signal.aborted) return;
    if (end.code === UPGRADE_EXIT_CODE) continue;
    failures = clock.now() - startedAt >= STABLE ? 1 : failures + 1;
    const delay = Math.min(LONGEST_DELAY, 1_000 * 2 ** Math.min(failures - 1, 10));
    log.error({ delay }, `the agent ${end.text}; it is started again, and delegates go on`);
    await clock.sleep(delay, signal).catch(() => undefined);
  }
}

async function runTrial(options: LauncherOptions, trial: Trial): Promise<void> {
  const { slots, clock, log, signal, proveWithin } = options;
  const { version } = trial.slot.artifact;
  const reject = async (reason: string): Promise<void> => {
    await slots.reject(trial, { reason, at: clock.now() });
    log.error({ release: version, reason }, 'a new release has not proved itself; the one before runs again');
  };
  if (slots.isWornOut(trial))
    return reject(`its trial was begun ${trial.attempts} times and never ended well`);
  await slots.noteAttempt(trial);
  log.info({ release: version, slot: trial.slot.name }, 'tries a new release');
  const end = await runAgent({
    options,
    command: trial.slot.command,
    slot: trial.slot.name,
    proof: {
      within: proveWithin,
      async onProven() {
        await slots.promote(trial);
        log.info({ release: version, slot: trial.slot.name }, 'the new release has proved itself');
      },
    },
  });
  // A stop that somebody asked for says nothing of the release.
  if (!end.wasProven && !signal.aborted) await reject(`it ${end.text}`);
}

async function runAgent(run: {
  readonly options: LauncherOptions;
  readonly command: readonly string[];
  readonly slot: string;
  readonly proof?: { readonly within: Milliseconds; onProven(): Promise<void> };
}): Promise<End> {
  const { options, slot, proof } = run;
  const { clock, signal } = options;
  const [program = '', ...first] = run.command;
  const child = spawn(program, [...first, ...options.arguments], {
    env: { ...process.env, [SLOT_VARIABLE]: slot },
    // The channel tells us of the proof, and tells the agent that we have died.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const over = new AbortController();
  const ended = endOf(child).finally(() => over.abort());
  let wasProven = false;
  let promoted: Promise<void> = Promise.resolve();
  let late = '';
  child.on('message', (message) => {
    if (message !== PROVEN || wasProven || late !== '') return;
    wasProven = true;
    promoted = proof?.onProven() ?? promoted;
  });
  const stopping = whenAborted(signal, over.signal).then(() => stop(child, clock, over.signal));
  if (proof !== undefined) {
    void clock.sleep(proof.within, AbortSignal.any([signal, over.signal])).then(
      () => {
        if (wasProven) return;
        late = `did not prove itself within ${proof.within / 1000} s`;
        void stop(child, clock, over.signal);
      },
      () => undefined,
    );
  }
  const { code, text } = await ended;
  await promoted;
  await stopping;
  return { code, text: late === '' ? text : late, wasProven };
}

/** SIGTERM, and SIGKILL to one that does not follow. Only the agent: delegates are no part of it. */
async function stop(child: ChildProcess, clock: Clock, over: AbortSignal): Promise<void> {
  if (over.aborted) return;
  child.kill('SIGTERM');
  await clock.sleep(STOP_GRACE, over).then(
    () => child.kill('SIGKILL'),
    () => undefined,
  );
}

function endOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly text: string }> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, text: `cannot be started: ${error.message}` }));
    child.once('exit', (code, signal) => {
      resolve({ code, text: signal === null ? `ended with code ${code}` : `was ended by ${signal}` });
    });
  });
}

/** Resolves when either is aborted. */
function whenAborted(one: AbortSignal, other: AbortSignal): Promise<void> {
  const any = AbortSignal.any([one, other]);
  return new Promise((resolve) => {
    if (any.aborted) resolve();
    else any.addEventListener('abort', () => resolve(), { once: true });
  });
}
