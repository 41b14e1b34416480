/** What a call changes: what it needs to lock and to read, and the decision on that. Several share one transaction. */
import type { Settled } from './batches.ts';
import type { Row } from './columns.ts';
import type { Statement } from './connection.ts';
import type { Transaction } from './connections.ts';
import { checkReader } from './migrate.ts';
import { type Needs, reading } from './needs.ts';
import { Workspace } from './workspace.ts';
import { writesOf } from './writes.ts';

export interface Change<Outcome> {
  readonly needs: Needs;
  /** Roughly what it writes, in characters. */
  readonly weight: number;
  /** Must not change the workspace before it throws. */
  decide(workspace: Workspace): Outcome;
}

interface DecidingOptions {
  /** The version of the tables that this release knows. */
  readonly known: number;
  /** What is sent behind a commit that makes something due. */
  readonly word: () => readonly Statement[];
}

/** The transaction of several changes, decided one after the other. */
export function deciding(
  changes: readonly Change<unknown>[],
  { known, word }: DecidingOptions,
): Transaction<{ readonly settled: readonly Settled<unknown>[]; readonly isAnythingDue: boolean }> {
  const { statements, read } = reading(changes.map(({ needs }) => needs));
  return {
    reads: statements,
    decide: (results: readonly (readonly Row[])[]) => {
      const found = read(results);
      checkReader(found.oldestReader, known);
      const workspace = new Workspace(found);
      const settled = changes.map((change): Settled<unknown> => {
        try {
          return { kind: 'done', outcome: change.decide(workspace) };
        } catch (error) {
          return { kind: 'threw', error };
        }
      });
      const { isAnythingDue } = workspace;
      return {
        outcome: { settled, isAnythingDue },
        writes: writesOf(workspace),
        behind: isAnythingDue ? word() : [],
      };
    },
  };
}
