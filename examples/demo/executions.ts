/**
 * What became of the executions, by what the store recorded: read with plain SQL and judged by the history checker, which
 * knows nothing of how executions are run.
 */

import { type TenantName, tenantName } from '../../src/model/names.ts';
import { type DelegateId, delegateId } from '../../src/model/workflow.ts';
import type { StoreContent } from '../../test/support/executions/recorded.ts';
import { checkHistory, type Told } from '../../test/support/workflow/history-checker.ts';

/** The report's part about executions. */
export interface ExecutionsReport {
  /** Starts that a manager had promised. */
  readonly started: number;
  readonly finished: number;
  /** Ended in any other way, or could not be begun; no pipeline of the demo should. */
  readonly failed: number;
  /** Promised or recorded once, and not there, or never ended. */
  readonly lost: number;
  /** Steps, results and starts that counted more than once. */
  readonly appliedTwice: number;
  /** Steps that a manager of another version took. */
  readonly wrongVersion: number;
  /** Tasks that a delegate of another version or tenant had. */
  readonly wrongDelegate: number;
}

/** A version that was taken away. */
export interface TakenAway {
  readonly version: string;
  /** Milliseconds since 1970; it was whole then. */
  readonly at: number;
}

export interface ExecutionsEvidence {
  readonly content: StoreContent;
  readonly told: readonly Told[];
  /** Why customers could not begin some, one sentence each. */
  readonly notBegun: readonly string[];
  /** The tenant of each box. */
  readonly boxes: ReadonlyMap<string, string>;
  readonly takenAway: readonly TakenAway[];
}

export interface ExecutionsVerdict {
  readonly report: ExecutionsReport;
  /** Executions of each version. */
  readonly byVersion: ReadonlyMap<string, number>;
  /** One sentence each. */
  readonly faults: readonly string[];
}

/** Judges the executions of a run that is over. */
export function judgeExecutions({
  content,
  told,
  notBegun,
  boxes,
  takenAway,
}: ExecutionsEvidence): ExecutionsVerdict {
  const { executions, history, left } = content;
  const tenants = new Map<DelegateId, TenantName>(
    [...boxes].map(([box, tenant]) => [delegateId(box), tenantName(tenant)]),
  );
  const found = checkHistory({ executions, history, told, continues: new Map(), tenants, isOver: true });
  const leftovers = Object.entries(left)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what} are left although every execution has ended`);
  const deserted = takenAway.flatMap(({ version, at }) =>
    executions
      .filter((execution) => execution.version === version && (execution.endedAt ?? Infinity) > at)
      .map(({ id }) => `${version} was taken away before execution ${id} had ended`),
  );
  const lost = [...found.lost, ...found.gaps, ...leftovers, ...deserted];
  const failed = executions.filter(({ state }) => state === 'Failed' || state === 'Cancelled');
  const byVersion = Map.groupBy(executions, ({ version }) => version);
  return {
    report: {
      started: new Set(told.flatMap((each) => (each.kind === 'Started' ? [each.execution] : []))).size,
      finished: executions.filter(({ state }) => state === 'Succeeded').length,
      failed: failed.length + notBegun.length,
      lost: lost.length,
      appliedTwice: found.appliedTwice.length,
      wrongVersion: found.wrongVersion.length,
      wrongDelegate: found.wrongDelegate.length,
    },
    byVersion: new Map(
      [...byVersion]
        .map(([version, of]): [string, number] => [version, of.length])
        .toSorted(([one], [other]) => one.localeCompare(other)),
    ),
    faults: [
      ...notBegun,
      ...failed.map(({ id, state, error }) => `execution ${id} ended ${state}: ${error}`),
      ...lost,
      ...found.appliedTwice,
      ...found.wrongVersion,
      ...found.wrongDelegate,
    ],
  };
}
