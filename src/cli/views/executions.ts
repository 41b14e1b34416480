/** Executions and their history as tables. */
import { formatDuration } from '../duration.ts';
import type { ListView } from '../output.ts';
import type { Paint } from '../shell.ts';

/** An execution as a manager tells it; times are ISO 8601. */
export interface ExecutionAnswer {
  readonly id: string;
  readonly tenant: string;
  readonly version: string;
  readonly name: string;
  readonly priority: number;
  readonly state: string;
  readonly revision: number;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly endedAt?: string;
  readonly result?: unknown;
  readonly error?: string;
}

/** An execution with all that happened to it. */
export interface ExecutionDetails extends ExecutionAnswer {
  readonly openTasks: readonly OpenTaskAnswer[];
  readonly history: readonly HistoryAnswer[];
}

export interface OpenTaskAnswer {
  readonly id: string;
  readonly key: string;
  readonly kind: string;
  readonly attempt: number;
  readonly delegate?: string;
  readonly percent?: number;
  readonly note?: string;
}

export interface HistoryAnswer {
  readonly sequence: number;
  readonly at: string;
  readonly kind: string;
  readonly version: string;
  readonly worker: { readonly manager: string; readonly version: string };
  readonly delegate?: { readonly delegate: string; readonly version: string };
  readonly token?: number;
  readonly step: string;
  readonly detail: string;
}

export function executionsView(paint: Paint, now: number): ListView<ExecutionAnswer> {
  return {
    columns: [
      { heading: 'EXECUTION', text: ({ id }) => id },
      { heading: 'NAME', text: ({ name }) => name },
      { heading: 'TENANT', text: ({ tenant }) => tenant },
      { heading: 'VERSION', text: ({ version }) => version },
      { heading: 'STATE', text: ({ state }) => state, paint: (state) => paintState(paint, state) },
      { heading: 'AGE', text: ({ startedAt }) => since(startedAt, now) },
      { heading: 'TOOK', text: tookText },
      { heading: 'STEPS', text: ({ revision }) => String(revision), wide: true },
      { heading: 'PRIORITY', text: ({ priority }) => String(priority), wide: true },
      { heading: 'ERROR', text: ({ error }) => error ?? '' },
    ],
    name: ({ id }) => `execution/${id}`,
    empty: 'no executions',
  };
}

export function openTasksView(): ListView<OpenTaskAnswer> {
  return {
    columns: [
      { heading: 'TASK', text: ({ id }) => id },
      { heading: 'STEP', text: ({ key }) => key },
      { heading: 'KIND', text: ({ kind }) => kind },
      { heading: 'ATTEMPT', text: ({ attempt }) => String(attempt) },
      { heading: 'DELEGATE', text: ({ delegate }) => delegate ?? 'waits for one' },
      { heading: 'DONE', text: ({ percent }) => (percent === undefined ? '' : `${percent}%`) },
      { heading: 'NOTE', text: ({ note }) => note ?? '' },
    ],
    name: ({ id }) => `task/${id}`,
    empty: 'no open tasks',
  };
}

export function historyView(): ListView<HistoryAnswer> {
  return {
    columns: [
      { heading: 'SEQ', text: ({ sequence }) => String(sequence) },
      { heading: 'TIME', text: ({ at }) => `${at.slice(0, 19).replace('T', ' ')}Z` },
      { heading: 'WHAT', text: ({ kind }) => kind },
      { heading: 'STEP', text: ({ step }) => step },
      { heading: 'VERSION', text: ({ version }) => version },
      { heading: 'MANAGER', text: ({ worker }) => `${worker.manager} (${worker.version})` },
      {
        heading: 'DELEGATE',
        text: ({ delegate }) => (delegate === undefined ? '' : `${delegate.delegate} (${delegate.version})`),
      },
      { heading: 'TOKEN', text: ({ token }) => String(token ?? ''), wide: true },
      { heading: 'DETAIL', text: ({ detail }) => detail },
    ],
    name: ({ sequence }) => `history/${sequence}`,
    empty: 'nothing has happened to it',
  };
}

function paintState(paint: Paint, state: string): string {
  if (state === 'Succeeded') return paint.good(state);
  return state === 'Failed' ? paint.bad(state) : paint.busy(state);
}

function tookText({ startedAt, endedAt }: ExecutionAnswer): string {
  return endedAt === undefined
    ? ''
    : formatDuration(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)));
}

function since(time: string, now: number): string {
  return formatDuration(Math.max(0, now - Date.parse(time)));
}
