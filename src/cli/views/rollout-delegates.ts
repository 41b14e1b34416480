/** The delegates of a rollout in its view: how many of the roll are on the candidate, and which are missing and why. */
import type { RolloutView } from '../../gen/switchyard/admin/v1/rollouts_pb.js';
import type { Paint } from '../shell.ts';
import type { Branch } from '../tree.ts';

/** Tenants that the line of those held back names. */
const NAMED = 5;
/** Lines of missing boxes, and with `-o wide`. */
const LINES = 5;
const WIDE_LINES = 100;

/** `2/3 on v2`, in the header; nothing where it waits for none. */
export function delegateFacts(view: RolloutView, paint: Paint): [string, string][] {
  const { delegates, rollout } = view;
  if (delegates === undefined) return [];
  return [
    [
      'Delegates',
      `${countText(view, paint)} on ${rollout?.version ?? ''}${heldBackText(delegates.heldBack)}`,
    ],
  ];
}

function countText({ delegates }: RolloutView, paint: Paint): string {
  if (delegates === undefined) return '';
  const { verdict, ready, expected } = delegates;
  if (verdict === 'Unknown') return paint.busy('unknown');
  const count = `${ready}/${expected}`;
  if (verdict === '') return count;
  return verdict === 'Passed' ? paint.good(count) : paint.busy(count);
}

function heldBackText(tenants: readonly string[]): string {
  if (tenants.length === 0) return '';
  const more = tenants.length - NAMED;
  return `, held back: ${tenants.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The tenants that are not complete, each with its missing boxes by reason. */
export function delegatesBranch({ delegates }: RolloutView, { wide }: { readonly wide: boolean }): Branch[] {
  if (delegates === undefined || delegates.lines.length === 0) return [];
  const lines = delegates.lines.slice(0, wide ? WIDE_LINES : LINES);
  const more = delegates.lines.length - lines.length;
  const below = [...lines, ...(more > 0 ? [`and ${more} more tenants`] : [])];
  return [{ text: 'delegates missing', below: below.map((text) => ({ text, wraps: true })) }];
}
