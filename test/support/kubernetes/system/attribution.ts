/**
 * Why requests failed when Pods were lost: each must have been in flight at a Pod that was lost, or have been sent while the
 * proxy still had the endpoint of such a Pod. Pure: records in, each failure with its Pod out, and those that nothing explains.
 */
import { describe } from '../../traffic/judge.ts';
import type { Exchange } from '../../traffic/samples.ts';

/** A Pod whose process ended without a word. Times are of `performance.now()`. */
export interface Loss {
  readonly pod: string;
  readonly version: string;
  /** Just before it was killed. */
  readonly from: number;
  /** Just after; whatever came to it later came to another process. */
  readonly until: number;
  /** When each entrance had its endpoint no more; absent where it has it still. */
  readonly withdrawnAt: ReadonlyMap<string, number>;
}

export interface Evidence {
  readonly failed: readonly Exchange[];
  readonly losses: readonly Loss[];
  /** The Pods that each request came to, by its id. */
  readonly arrivals: ReadonlyMap<string, readonly string[]>;
  /** The versions that a request may have been sent to. */
  readonly versionsOf: (exchange: Exchange) => readonly string[];
}

/** A failed request and the Pod that it failed with. */
export interface Attributed {
  readonly exchange: Exchange;
  readonly loss: Loss;
  readonly how: 'InFlight' | 'SentBeforeWithdrawn';
}

export interface Attribution {
  readonly attributed: readonly Attributed[];
  /** Failures that no loss explains. */
  readonly unexplained: readonly Exchange[];
}

export function attribute({ failed, losses, arrivals, versionsOf }: Evidence): Attribution {
  const attributed: Attributed[] = [];
  const unexplained: Exchange[] = [];
  for (const exchange of failed) {
    const pods = arrivals.get(exchange.asked.id ?? '') ?? [];
    const found =
      pods.length > 0
        ? inFlight(exchange, losses, pods)
        : sentBeforeWithdrawn(exchange, losses, versionsOf(exchange));
    if (found === undefined) unexplained.push(exchange);
    else attributed.push(found);
  }
  return { attributed, unexplained };
}

/** A line for the report: which request, which Pod, when it was sent, failed, and when the endpoint was withdrawn. */
export function reportLine({ exchange, loss, how }: Attributed): string {
  const withdrawnAt = loss.withdrawnAt.get(exchange.asked.entrance);
  const gone = withdrawnAt === undefined ? 'still there' : `withdrawn at ${seconds(withdrawnAt)}`;
  const why = how === 'InFlight' ? 'was in flight at' : 'was sent before the withdrawal of';
  const id = exchange.asked.id ?? 'a request without id';
  return `${id} ${why} ${loss.pod}, which was lost at ${seconds(loss.from)} (its endpoint: ${gone}): ${describe(exchange)}`;
}

function inFlight(
  exchange: Exchange,
  losses: readonly Loss[],
  pods: readonly string[],
): Attributed | undefined {
  const loss = losses.find(
    ({ pod, from, until }) => pods.includes(pod) && exchange.startedAt <= until && exchange.endedAt >= from,
  );
  return loss && { exchange, loss, how: 'InFlight' };
}

function sentBeforeWithdrawn(
  exchange: Exchange,
  losses: readonly Loss[],
  versions: readonly string[],
): Attributed | undefined {
  const { entrance } = exchange.asked;
  const loss = losses.find(
    ({ version, from, withdrawnAt }) =>
      versions.includes(version) &&
      exchange.endedAt >= from &&
      exchange.startedAt < (withdrawnAt.get(entrance) ?? Infinity),
  );
  return loss && { exchange, loss, how: 'SentBeforeWithdrawn' };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(3)} s`;
}
