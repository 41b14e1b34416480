/**
 * One start of an instance: its record enters, its main process leaves. The intent is on disk before the spawn, and
 * what an earlier start has left running is taken up or ended first, so that no crash leaves two of one instance.
 */
import type { Clock } from '../../ports/clock.ts';
import type { CrashBudget } from './budget.ts';
import type { DrainSpec } from './drain.ts';
import { endProcesses } from './ending.ts';
import { findFamily } from './family.ts';
import { isAlive, type ProcessIdentity } from './identity.ts';
import type { Journal } from './journal.ts';
import type { KeptRecord } from './kept-record.ts';
import type { Logs } from './logs.ts';
import { launch, type MainProcess, takeUp } from './main-process.ts';
import type { PortAllocator } from './ports.ts';

/** What all instances of a runtime share. */
export interface InstanceTools {
  readonly journal: Journal;
  readonly ports: PortAllocator;
  readonly logs: Logs;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** How an instance is emptied before it is stopped; absent: SIGTERM, and SIGKILL after its grace time. */
  readonly drain?: DrainSpec | undefined;
  /** How often an instance may end before it is given up; absent: for ever. */
  readonly budget?: CrashBudget | undefined;
}

export interface Start {
  readonly record: KeptRecord;
  readonly tools: InstanceTools;
  /** False only where nothing of this instance can run yet. */
  readonly mayHaveProcesses: boolean;
  /** Aborted: nobody looks after the instance any more. */
  readonly leave: AbortSignal;
  /** Aborted before the spawn: nothing is started. */
  readonly interrupted: AbortSignal;
}

/** Undefined when it was interrupted. Throws where it cannot be started: no port, no such program, a full disk. */
export async function startMain(start: Start): Promise<MainProcess | undefined> {
  const { record, tools, interrupted } = start;
  if (start.mayHaveProcesses) {
    const found = await clearField(start);
    if (found !== undefined) return found;
  }
  const { id, port: preferred, spec } = record.current;
  const port = await tools.ports.take({ instance: id, range: spec.ports, preferred });
  await record.write({ port, wasReady: false, hadWork: false, process: { kind: 'Intended' } });
  if (interrupted.aborted) return undefined;
  const main = await tools.logs.withAppendable(id, (log) => launch(record.current, log));
  await noteRunning(start, main.identity);
  return main;
}

/** The process that a controller before left running; undefined where there is none. */
export async function findLeft(record: KeptRecord): Promise<ProcessIdentity | undefined> {
  const { id, process } = record.current;
  if (process.kind === 'None') return undefined;
  if (process.kind === 'Running') return isAlive(process.identity) ? process.identity : undefined;
  const mains = (await findFamily({ id })).filter(({ leadsSession }) => leadsSession);
  // More than one cannot be told apart; the next start ends them all.
  return mains.length === 1 ? mains[0]?.identity : undefined;
}

/** Notes that a process runs. That may be lost: the intent on disk leads to the process as well. */
export async function noteRunning(
  { record, tools }: Pick<Start, 'record' | 'tools'>,
  identity: ProcessIdentity,
): Promise<void> {
  await record.note({ process: { kind: 'Running', identity, startedAt: tools.clock.now() } });
}

/** Takes up the process of a start that was not recorded, or ends what earlier ones have left behind. */
async function clearField(start: Start): Promise<MainProcess | undefined> {
  const { record, tools, leave } = start;
  const { id, process, spec } = record.current;
  if (process.kind === 'Intended') {
    const found = await findLeft(record);
    if (found !== undefined) {
      await noteRunning(start, found);
      return takeUp(found, { clock: tools.clock, signal: leave });
    }
  }
  await endProcesses({
    id,
    grace: () => spec.stopGrace,
    clock: tools.clock,
    signal: leave,
    onKill: () => undefined,
  });
  return undefined;
}
