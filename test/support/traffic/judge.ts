/**
 * Judges what the traffic clients wrote down against what the routes were at the time. Pure: records and histories
 * in, counts and the first faults in words out. All counts of faults are zero when Switchyard kept its promises.
 */
import { defaultVersions, type History, type NumberedStage } from './history.ts';
import type { Asked, Exchange, StreamRecord } from './samples.ts';
import { findWrongMoves } from './tenants.ts';

/** The records of one run. */
export interface Evidence {
  readonly exchanges: readonly Exchange[];
  readonly streams: readonly StreamRecord[];
  /** What the routes were, by entrance. */
  readonly histories: ReadonlyMap<string, History>;
  /**
   * Versions that are known to be bad. Their own 500s are no failures of the routes where a stage gives them default
   * traffic; `shareTouchedBy` counts what they did.
   */
  readonly badVersions?: readonly string[];
}

/** What the records add up to. */
export interface Verdict {
  /** Requests, the openings of streams among them. */
  readonly requests: number;
  /** No answer, or an error where an answer was due. */
  readonly failed: number;
  /** Answered by a version that the request must not reach at that time. */
  readonly misrouted: number;
  /** Pins that no stage of their time would let through. */
  readonly refusedExpected: number;
  readonly refusedSeen: number;
  readonly streamsOpened: number;
  /** Ended by anything but their client. */
  readonly streamsCut: number;
  /** Tenants that moved more than once within one shift, or back without a rollback. */
  readonly tenantsMovedWrongly: number;
  /** The first faults in words, at most 20. */
  readonly faults: readonly string[];
}

const FAULTS_LISTED = 20;

type Finding = 'failed' | 'misrouted' | 'refusedExpected' | 'refusedSeen';

/** Judges one run. Throws when a record names an entrance without a history. */
export function judge(evidence: Evidence): Verdict {
  const counts = { failed: 0, misrouted: 0, refusedExpected: 0, refusedSeen: 0 };
  const faults: string[] = [];
  const note = (text: string) => {
    if (faults.length < FAULTS_LISTED) faults.push(text);
  };

  for (const exchange of evidence.exchanges) {
    const history = evidence.histories.get(exchange.asked.entrance);
    if (history === undefined) throw new Error(`entrance ${exchange.asked.entrance} has no history`);
    const findings = judgeExchange({
      exchange,
      stages: history.during(exchange.startedAt, exchange.endedAt),
      badVersions: evidence.badVersions ?? [],
    });
    for (const finding of findings) counts[finding] += 1;
    if (findings.some((finding) => finding === 'failed' || finding === 'misrouted')) note(describe(exchange));
  }

  let streamsCut = 0;
  for (const { asked, version, strangers, end, endedAt } of evidence.streams) {
    if (end.kind === 'cut') {
      streamsCut += 1;
      note(`cut stream at ${seconds(endedAt)}: ${describeAsked(asked)} on ${version}: ${end.reason}`);
    }
    if (strangers.length > 0) {
      counts.misrouted += 1;
      note(`a stream of ${version} carried messages of ${strangers.join(', ')}: ${describeAsked(asked)}`);
    }
  }

  const wrongMoves = findWrongMoves(evidence.exchanges, evidence.histories);
  for (const { tenant, exchange } of wrongMoves)
    note(`tenant ${tenant} moved wrongly: ${describe(exchange)}`);

  return {
    requests: evidence.exchanges.length,
    ...counts,
    streamsOpened: evidence.streams.length,
    streamsCut,
    tenantsMovedWrongly: new Set(wrongMoves.map(({ tenant }) => tenant)).size,
    faults,
  };
}

/** Whether anything that must be zero is not, or refusals are missing. */
export function isClean(verdict: Verdict): boolean {
  const { failed, misrouted, streamsCut, tenantsMovedWrongly, refusedExpected, refusedSeen } = verdict;
  return failed + misrouted + streamsCut + tenantsMovedWrongly === 0 && refusedExpected === refusedSeen;
}

/** The share of default requests, 0 to 1, that these versions answered, well or not. */
export function shareTouchedBy(versions: readonly string[], exchanges: readonly Exchange[]): number {
  const byDefault = exchanges.filter(({ asked }) => asked.pin === undefined);
  const touched = byDefault.filter(
    ({ outcome }) =>
      outcome.kind !== 'refused' && outcome.version !== undefined && versions.includes(outcome.version),
  );
  return byDefault.length === 0 ? 0 : touched.length / byDefault.length;
}

function judgeExchange(found: {
  readonly exchange: Exchange;
  readonly stages: readonly NumberedStage[];
  readonly badVersions: readonly string[];
}): readonly Finding[] {
  const { exchange, stages, badVersions } = found;
  const { asked, outcome } = exchange;
  const { pin } = asked;
  const mayBeServed = pin === undefined || stages.some((stage) => stage.active.includes(pin));
  const mayBeRefused = pin !== undefined && stages.some((stage) => !stage.active.includes(pin));
  // Served or refused may both be right while a command is under way; then whatever came is what was expected.
  const mustBeRefused: readonly Finding[] = mayBeServed ? [] : ['refusedExpected'];
  switch (outcome.kind) {
    case 'failed': {
      const { version } = outcome;
      const isDue =
        pin === undefined &&
        version !== undefined &&
        badVersions.includes(version) &&
        stages.flatMap(defaultVersions).includes(version);
      return isDue ? [] : ['failed', ...mustBeRefused];
    }
    case 'refused':
      return mayBeRefused ? ['refusedSeen', 'refusedExpected'] : ['refusedSeen', 'failed'];
    case 'answered': {
      const legal = pin === undefined ? stages.flatMap(defaultVersions) : [pin];
      const asRouted = outcome.routedVersion === undefined || outcome.routedVersion === outcome.version;
      const right = mayBeServed && asRouted && legal.includes(outcome.version);
      return right ? [] : ['misrouted', ...mustBeRefused];
    }
  }
}

/** One request in words. */
export function describe({ asked, startedAt, endedAt, outcome }: Exchange): string {
  const when = `${seconds(startedAt)} to ${seconds(endedAt)}`;
  switch (outcome.kind) {
    case 'failed':
      return `failed at ${when}: ${describeAsked(asked)}: ${outcome.reason}`;
    case 'refused':
      return `refused at ${when}: ${describeAsked(asked)}`;
    case 'answered': {
      const routed = outcome.routedVersion === undefined ? '' : ` (routed to ${outcome.routedVersion})`;
      return `answered by ${outcome.version}${routed} at ${when}: ${describeAsked(asked)}`;
    }
  }
}

function describeAsked({ entrance, face, pin, tenant }: Asked): string {
  const who =
    pin === undefined ? `default traffic of ${tenant ?? 'no tenant'}` : `pinned to ${JSON.stringify(pin)}`;
  return `${face} through ${entrance}, ${who}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)} s`;
}
