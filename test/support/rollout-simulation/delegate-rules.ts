/** What must hold of delegates in every simulated rollout, told by who was connected and not by what the plan made of it. */
import { isOpen, type RolloutRecord } from '../../../src/model/rollout.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import type { Committed } from './committed.ts';
import type { SimulatedWorld } from './world.ts';

/**
 * Default traffic moves forward only when each tenant of the roll has on the candidate every delegate that is connected,
 * or is held, or an operator waived it, or the spec says to go on without them and the deadline is past.
 */
export function delegateFault(world: SimulatedWorld, { before, after }: Committed): string | undefined {
  const { rollout } = before;
  if (rollout === undefined || rollout.policy.delegates === undefined || !isOpen(rollout.state))
    return undefined;
  const isWaived =
    rollout.fullyPromotedBy !== undefined || rollout.promoted.some((name) => name === 'Register');
  if (isWaived) return undefined;
  const { answer } = world;
  if (answer.kind !== 'named') return 'rule 10: traffic moved while nobody knew the delegates';
  const roll = world.rolls.get(rollout.id);
  if (roll?.kind !== 'named' || rollout.rollFixedAt === undefined)
    return 'traffic moved before the roll was fixed';
  const mayProceed =
    rollout.policy.delegates.onMissing === 'Proceed' &&
    rollout.stepSince + rollout.policy.delegates.deadline <= world.now;
  if (mayProceed) return undefined;
  const held = new Set(after.holds.filter(({ expires }) => expires > world.now).map(({ tenant }) => tenant));
  const heard = new Set(answer.delegates.map(({ delegate }) => delegate));
  const there = new Set(
    answer.delegates.filter(({ version }) => version === rollout.version).map(({ delegate }) => delegate),
  );
  for (const [tenant, boxes] of Map.groupBy(roll.boxes, (box) => box.tenant)) {
    if (held.has(tenant)) continue;
    const connected = boxes.filter(({ delegate }) => heard.has(delegate));
    const missing = connected.filter(({ delegate }) => !there.has(delegate));
    if (connected.length === 0) return `${tenant} has no delegate connected, and traffic moved`;
    if (missing.length > 0)
      return `${missing.map(({ delegate }) => delegate).join()} of ${tenant} missing, and traffic moved`;
  }
  return undefined;
}

/** No more tenants are held back than the spec allows. */
export function heldBackFault(world: SimulatedWorld, { after }: Committed): string | undefined {
  const { rollout } = after;
  if (rollout?.policy.delegates === undefined) return undefined;
  const held = heldBackBy(after, rollout);
  const roll = world.rolls.get(rollout.id);
  const tenants = roll?.kind === 'named' ? new Set(roll.boxes.map(({ tenant }) => tenant)).size : 0;
  if (held * 100 <= rollout.policy.delegates.maxHeldBack * tenants) return undefined;
  return `${held} of ${tenants} tenants are held back`;
}

function heldBackBy({ holds }: ServiceRecord, { id }: RolloutRecord): number {
  return holds.filter(({ heldBackBy: by }) => by === id).length;
}
