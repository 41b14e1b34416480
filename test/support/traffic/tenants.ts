/**
 * Finds tenants that moved when they must not: within one stage a tenant stays where it is; within one leg it moves
 * at most once, and only forward. A request may have met one of several stages while a command was under way, so all
 * explanations are followed at once; a tenant is at fault when none is left.
 */
import { defaultVersions, type History, type NumberedStage } from './history.ts';
import type { Exchange } from './samples.ts';

/** A possible explanation of a tenant's last answer: it met this stage and was on this version. */
interface Position {
  readonly stage: NumberedStage;
  readonly version: string;
}

/** A tenant that moved wrongly, with the answer that cannot be explained. */
export interface WrongMove {
  readonly tenant: string;
  readonly entrance: string;
  readonly exchange: Exchange;
}

/**
 * The wrong moves in the answered default requests, at most one for each tenant and entrance. Requests of one tenant
 * through one entrance that overlap in time have no order; the later of the two is left out.
 */
export function findWrongMoves(
  exchanges: readonly Exchange[],
  histories: ReadonlyMap<string, History>,
): WrongMove[] {
  const wrong: WrongMove[] = [];
  for (const [entrance, history] of histories) {
    for (const [tenant, answers] of byTenant(exchanges, entrance)) {
      const fault = firstUnexplained(answers, history);
      if (fault !== undefined) wrong.push({ tenant, entrance, exchange: fault });
    }
  }
  return wrong;
}

function byTenant(exchanges: readonly Exchange[], entrance: string): Map<string, Exchange[]> {
  const tenants = new Map<string, Exchange[]>();
  for (const exchange of exchanges) {
    const { asked, outcome } = exchange;
    if (asked.entrance !== entrance || asked.tenant === undefined || asked.pin !== undefined) continue;
    if (outcome.kind !== 'answered') continue;
    const answers = tenants.get(asked.tenant);
    if (answers === undefined) tenants.set(asked.tenant, [exchange]);
    else answers.push(exchange);
  }
  for (const answers of tenants.values()) answers.sort((one, other) => one.startedAt - other.startedAt);
  return tenants;
}

function firstUnexplained(answers: readonly Exchange[], history: History): Exchange | undefined {
  let explanations: readonly Position[] | undefined;
  let busyUntil = -Infinity;
  for (const exchange of answers) {
    if (exchange.startedAt < busyUntil) continue;
    busyUntil = exchange.endedAt;
    const candidates = positions(exchange, history);
    // A version that was legal in no stage is a misrouted request, which the judge counts as such.
    if (candidates.length === 0) continue;
    const before = explanations;
    const remaining =
      before === undefined
        ? candidates
        : candidates.filter((next) => before.some((last) => mayFollow(last, next)));
    if (remaining.length === 0) return exchange;
    explanations = remaining;
  }
  return undefined;
}

function positions(exchange: Exchange, history: History): readonly Position[] {
  if (exchange.outcome.kind !== 'answered') return [];
  const { version } = exchange.outcome;
  return history
    .during(exchange.startedAt, exchange.endedAt)
    .filter((stage) => defaultVersions(stage).includes(version))
    .map((stage) => ({ stage, version }));
}

function mayFollow(last: Position, next: Position): boolean {
  if (next.stage.number < last.stage.number) return false;
  if (next.stage.number === last.stage.number) return next.version === last.version;
  if (next.stage.leg !== last.stage.leg) return true;
  const movedBack =
    last.version === last.stage.to && next.version === next.stage.from && next.version !== last.version;
  return !movedBack;
}
