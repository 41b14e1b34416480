/** The events of a pipeline's execution and what they carry; what reads them takes anything and never throws. */
import type { Json } from '../../model/json.ts';
import type { TaskOutcome } from '../../model/workflow.ts';

/** What a timer is for: the end of a wait, the limit of a step, the next attempt. */
export const TIMER_PURPOSES = ['wait', 'timeout', 'backoff'] as const;
export type TimerPurpose = (typeof TIMER_PURPOSES)[number];

/** The payload of `Timer`. */
export interface PipelineTimer {
  /** The path of its step. */
  readonly step: string;
  readonly attempt: number;
  readonly purpose: TimerPurpose;
}

export const DECISIONS = ['Approve', 'Reject'] as const;

/** The payload of the command `Approve`. The manager fills in `by`, from whom it has authenticated. */
export interface ApprovalDecision {
  /** The path of the approval. */
  readonly step: string;
  readonly decision: (typeof DECISIONS)[number];
  readonly by: string;
  /** May be empty. */
  readonly comment: string;
  /** The attempt that was asked about; absent: whichever waits. */
  readonly attempt?: number;
}

/** The payload of the commands `Cancel` and `Retry`. */
export interface OperatorOrder {
  readonly by: string;
  /** May be empty. */
  readonly reason: string;
}

export type PipelineEvent =
  | { readonly kind: 'Start' }
  | { readonly kind: 'TaskFinished'; readonly key: string; readonly outcome: TaskOutcome }
  | ({ readonly kind: 'Timer' } & PipelineTimer)
  | { readonly kind: 'Timeout' }
  | ({ readonly kind: 'Cancel' | 'Retry' } & OperatorOrder)
  | ({ readonly kind: 'Approve' } & ApprovalDecision)
  | { readonly kind: 'Unknown'; readonly because: string };

type Fields = Readonly<Record<string, unknown>>;

/** The event; `Unknown` where the kind is none of a pipeline, or its payload is not what the kind carries. */
export function readEvent(kind: string, payload: Json): PipelineEvent {
  const fields: Fields = payload !== null && typeof payload === 'object' ? (payload as Fields) : {};
  switch (kind) {
    case 'Start':
    case 'Timeout':
      return { kind };
    case 'Cancel':
    case 'Retry':
      return { kind, by: textOf(fields['by']), reason: textOf(fields['reason']) };
    case 'TaskFinished':
      return readFinished(fields);
    case 'Timer':
      return readTimer(fields);
    case 'Approve':
      return readDecision(fields);
    default:
      return { kind: 'Unknown', because: `a pipeline knows no event ${JSON.stringify(kind.slice(0, 80))}` };
  }
}

function readFinished({ key, outcome }: Fields): PipelineEvent {
  const given = (outcome ?? {}) as Fields;
  if (typeof key !== 'string') return malformed('TaskFinished', 'key');
  if (given['kind'] === 'Succeeded') {
    const result = (given['result'] ?? null) as Json;
    return { kind: 'TaskFinished', key, outcome: { kind: 'Succeeded', result } };
  }
  if (given['kind'] !== 'Failed') return malformed('TaskFinished', 'outcome.kind');
  const failed = {
    kind: 'Failed',
    error: textOf(given['error']),
    retryable: given['retryable'] === true,
  } as const;
  return { kind: 'TaskFinished', key, outcome: failed };
}

function readTimer({ step, attempt, purpose: given }: Fields): PipelineEvent {
  const purpose = TIMER_PURPOSES.find((known) => known === given);
  if (typeof step !== 'string') return malformed('Timer', 'step');
  if (typeof attempt !== 'number') return malformed('Timer', 'attempt');
  return purpose === undefined ? malformed('Timer', 'purpose') : { kind: 'Timer', step, attempt, purpose };
}

function readDecision({ step, decision: given, by, comment, attempt }: Fields): PipelineEvent {
  const decision = DECISIONS.find((known) => known === given);
  if (typeof step !== 'string') return malformed('Approve', 'step');
  if (decision === undefined) return malformed('Approve', `decision (one of ${DECISIONS.join(', ')})`);
  if (typeof by !== 'string' || by === '') return malformed('Approve', 'by');
  const about = typeof attempt === 'number' ? { attempt } : {};
  return { kind: 'Approve', step, decision, by, comment: textOf(comment), ...about };
}

function malformed(kind: string, field: string): PipelineEvent {
  return { kind: 'Unknown', because: `an event ${kind} without a right ${field}` };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
