/**
 * A webhook gate: the facts of a rollout are posted as signed JSON, and the answer is a decision. Only a clear yes
 * approves; what cannot be understood never does. docs/webhooks.md describes both sides.
 */
import type { CheckMetric } from '../../model/check.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ProbeAnswer } from '../../ports/prober.ts';
import { type HttpReply, sendHttp, targetOf } from '../http-request.ts';
import { signedHeaders } from '../webhooks/signature.ts';
import { excerpt } from './verdict.ts';

/** A decision fits into this. */
const MOST_BYTES = 64 * 1024;

export interface Confirmation {
  readonly metric: Extract<CheckMetric, { kind: 'webhook' }>;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly secret?: string | undefined;
}

const DECISIONS: ReadonlyMap<unknown, 'approved' | 'undecided' | 'refused'> = new Map([
  ['approve', 'approved'],
  ['wait', 'undecided'],
  ['refuse', 'refused'],
]);

/** Rejects where no whole answer came in time. */
export async function confirm({ metric, facts, signal, clock, secret }: Confirmation): Promise<ProbeAnswer> {
  const body = JSON.stringify(facts);
  const reply = await sendHttp({
    target: targetOf(metric.url),
    method: 'POST',
    headers: signedHeaders({ secret, body, at: clock.now() }),
    body,
    timeout: metric.timeout,
    maxBytes: MOST_BYTES,
    signal,
  });
  return decisionOf(reply);
}

/** What an answer means. */
export function decisionOf({ status, body }: HttpReply): ProbeAnswer {
  const said = `answered ${status}${excerpt(body)}`;
  if (status === 403) return { kind: 'refused', detail: said };
  if (status < 200 || status > 299) return { kind: 'undecided', detail: said };
  const fields = fieldsOf(body);
  if (fields === undefined)
    return { kind: 'error', reason: `its answer begins like JSON, but is none${excerpt(body)}` };
  const { decision, reason } = fields;
  if (decision === undefined) return { kind: 'approved', detail: said };
  const kind = DECISIONS.get(decision);
  const shown = JSON.stringify(decision);
  if (kind === undefined) {
    return {
      kind: 'error',
      reason: `its decision is ${shown}, which is none of ${[...DECISIONS.keys()].join(', ')}`,
    };
  }
  return { kind, detail: `decided ${shown}${typeof reason === 'string' ? excerpt(reason) : ''}` };
}

/** The fields of a JSON object; none where the body is something else; undefined where it is one that was cut off. */
function fieldsOf(body: string): Readonly<Record<string, unknown>> | undefined {
  if (!body.trimStart().startsWith('{')) return {};
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
