/** How one instance is stopped: emptied first where that is asked for, then ended with all its processes. */
import { drain } from './drain.ts';
import { endProcesses } from './ending.ts';
import type { KeptRecord } from './kept-record.ts';
import type { MainProcess } from './main-process.ts';
import { seconds } from './reasons.ts';
import type { InstanceTools } from './start.ts';

export interface Stopping {
  readonly record: KeptRecord;
  readonly tools: InstanceTools;
  readonly main: MainProcess | undefined;
  /** Aborted: nobody waits any more. */
  readonly signal: AbortSignal;
  /** Called with one sentence whenever it changes. */
  readonly onProgress: (sentence: string) => void;
}

/** What is said of an instance that begins to stop. */
export function firstOfStopping({ record, tools }: Pick<Stopping, 'record' | 'tools'>): string {
  return tools.drain === undefined
    ? `SIGTERM is sent; SIGKILL follows after ${seconds(record.current.spec.stopGrace)}`
    : 'it is told to take no more work, and its open work goes on';
}

/** Resolves when none of its processes runs. */
export async function stopProcesses(stopping: Stopping): Promise<void> {
  await empty(stopping);
  await endAll(stopping);
}

/** Ends all processes without waiting for their work. */
export function endAll({ record, tools, main, signal, onProgress }: Stopping): Promise<void> {
  return endProcesses({
    id: record.current.id,
    main: main?.identity,
    grace: () => record.current.spec.stopGrace,
    clock: tools.clock,
    signal,
    onKill: (processes) =>
      onProgress(`the grace time is over: SIGKILL is sent to what is left, ${processes} in number`),
  });
}

/** Waits for the open work of a process that may have some. */
async function empty({ record, tools, main, signal, onProgress }: Stopping): Promise<void> {
  const { port, hadWork, spec } = record.current;
  if (tools.drain === undefined || main === undefined || hadWork !== true) return;
  const { clock } = tools;
  await drain({
    spec: tools.drain,
    port,
    main: main.identity,
    grace: spec.stopGrace,
    clock,
    signal,
    onProgress,
  });
}
