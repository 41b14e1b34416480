/**
 * Conditions as Kubernetes' tools read them (kubectl wait, Helm, Argo CD, Flux; the rules are kstatus'): Ready, and beside
 * it Reconciling or Stalled, which are there while they are true. Each speaks of one generation of the spec.
 */
import type { Instant } from '../model/instant.ts';
import type { RolloutRecord } from '../model/rollout.ts';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** A word in CamelCase, for programs. */
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

/** What a condition says; when it began is found by what was said before. */
export type Said = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** How something stands, of which the conditions are made. */
export type Standing =
  /** As wanted. */
  | { readonly kind: 'Ready'; readonly reason: string; readonly message: string }
  /** On its way there by itself. */
  | { readonly kind: 'Moving'; readonly reason: string; readonly message: string }
  /** On its way, and a person has to decide. Tools go on waiting; that is a choice: a rollout that is paused is not failed. */
  | { readonly kind: 'Waiting'; readonly reason: string; readonly message: string }
  /** Not on its way: something must be changed. */
  | { readonly kind: 'Stalled'; readonly reason: string; readonly message: string }
  /** As wanted, and not well. */
  | { readonly kind: 'Unwell'; readonly reason: string; readonly message: string };

/** How a rollout that goes on stands. */
export function openStanding({ state, stateReason, because, version }: RolloutRecord): Standing {
  const message = because === '' ? `${version} is being rolled out` : because;
  return state === 'Paused' || state === 'Inconclusive'
    ? { kind: 'Waiting', reason: state, message: `${stateReason}: ${message}` }
    : { kind: 'Moving', reason: state, message };
}

/** The conditions of a standing. */
export function conditionsOf({ kind, reason, message }: Standing): readonly Said[] {
  const said = (type: string, status: Condition['status']): Said => ({ type, status, reason, message });
  switch (kind) {
    case 'Ready':
      return [said('Ready', 'True')];
    case 'Moving':
      return [said('Ready', 'Unknown'), said('Reconciling', 'True')];
    case 'Waiting':
      return [said('Ready', 'False'), said('Reconciling', 'True')];
    case 'Stalled':
      return [said('Ready', 'False'), said('Stalled', 'True')];
    case 'Unwell':
      return [said('Ready', 'False')];
  }
}

/** With the times: a condition whose status is as it was keeps its own. Sorted by type. */
export function timed(
  said: readonly Said[],
  about: {
    readonly generation: number;
    readonly now: Instant;
    readonly before: readonly Condition[];
  },
): readonly Condition[] {
  const { generation, now, before } = about;
  return said
    .map((one): Condition => {
      const last = before.find(({ type }) => type === one.type);
      const time = new Date(Math.floor(now / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');
      return {
        ...one,
        lastTransitionTime: last?.status === one.status ? last.lastTransitionTime : time,
        observedGeneration: generation,
      };
    })
    .toSorted((one, other) => (one.type < other.type ? -1 : 1));
}
