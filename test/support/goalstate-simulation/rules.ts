/**
 * The rules that must hold in every simulated life of a fleet, asked of what boxes were told and of how they really stand,
 * not of what the planner concluded.
 */
import { isAdmitted, waveOf } from '../../../src/goalstate/admission.ts';
import { type ParityInput, parity } from '../../../src/goalstate/parity.ts';
import { planWaves, type WavesInput } from '../../../src/goalstate/waves.ts';
import type { GoalState, WatcherRecord } from '../../../src/model/goal-state.ts';
import type { VersionName } from '../../../src/model/names.ts';
import type { Parity } from '../../../src/model/parity.ts';
import { isActive } from '../../../src/model/state.ts';
import { MAX_PAST_GENERATIONS, type WavesRecord } from '../../../src/model/waves.ts';
import { boxId } from '../watchers.ts';
import type { SimulatedBox } from './box.ts';
import type { Rules, SimulatedWorld, Stored } from './world.ts';

export class FleetRules implements Rules {
  readonly #world: SimulatedWorld;
  /** What the boxes of a class were told in a generation. */
  readonly #contents = new Map<string, string>();
  /** An operator's skip, or an older state, was taken over: what follows at once is not the planner's doing. */
  isOperatorsDoing = false;

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  planned(input: WavesInput, next: WavesRecord): void {
    const { recorded, watchers } = input;
    const again = planWaves({ ...input, recorded: next });
    if (again.next !== next || again.done.length > 0)
      broken('a plan that was applied has nothing left to do', next);
    if (again.because === '') broken('waves that stand still say why', next);
    const shuffled = planWaves({ ...input, watchers: watchers.toReversed() }).next;
    if (shuffled !== next && JSON.stringify(shuffled) !== JSON.stringify(next))
      broken('the order of watchers is no matter', next);
    offlineNeverBlocks(input, watchers, next);
    if (next === recorded) return;
    const isForward =
      next.wave > recorded.wave || (next.wave === recorded.wave && next.admittedTo >= recorded.admittedTo);
    if (!isForward) broken('admission never goes back', { recorded, next });
    if (input.gathering !== '' || input.stopped !== '') broken('waves that stand still change nothing', next);
    wavesInTurn(recorded, input, next);
  }

  committed(before: Stored, after: Stored): void {
    if (this.isOperatorsDoing) return;
    const was = before.delegates.current;
    const is = after.delegates.current;
    if (is.generation < was.generation) broken('a generation never goes back', { was, is });
    if (is.generation === was.generation && JSON.stringify(is) !== JSON.stringify(was)) {
      broken('the content of a generation never changes', { was, is });
    }
    if (after.delegates.past.length > MAX_PAST_GENERATIONS)
      broken('history is bounded', after.delegates.past.length);
  }

  sent(box: SimulatedBox, goal: GoalState): void {
    const { record, delegates } = this.#world.stored;
    const { identity } = box;
    const names = goal.versions.map(({ version }) => version);
    if (names.length === 0 && !goal.decommission) broken('rule 12: a box was told to run nothing', goal);
    const isOrdered = delegates.decommissions.some(({ delegate }) => delegate === identity.id);
    if (goal.decommission !== isOrdered) broken('only an order decommissions a box', goal);
    if (names.length > identity.maxVersions) broken('a box is told no more than it can run', goal);
    if (goal.generation < box.seen) broken('a box is never told an older generation than it has seen', goal);
    for (const { candidate, ...waves } of delegates.waves) {
      if (names.includes(candidate) && !isAdmitted({ candidate, ...waves }, identity)) {
        broken('nobody gets the candidate before the turn of its wave', { goal, waves, identity });
      }
    }
    if (!goal.decommission) this.#keepsTraffic(box, names);
    this.#equalContent(box, goal);
    for (const name of names) {
      const version = record.versions.find((one) => one.name === name);
      if (version === undefined || !isActive(version.state) || version.retirement !== undefined) {
        broken(`rule 8: a version that is being retired was wanted: ${name}`, goal);
      }
    }
  }

  judged(input: ParityInput, { verdict, tenants, because }: Parity): void {
    if (because === '') broken('a gate says why', verdict);
    if (input.answer.kind === 'unknown' && verdict.kind !== 'Unknown') {
      broken('rule 10: an unknown source is never a pass', verdict);
    }
    offlineIsNotWaitedFor(input, tenants, verdict);
    if (verdict.kind !== 'Passed') return;
    const online = this.#world.boxes.filter(
      ({ isOnline, identity }) => isOnline && !input.decommissioned.has(identity.id),
    );
    for (const { delegate, tenant } of input.roll?.kind === 'named' ? input.roll.boxes : []) {
      const box = online.find(({ identity }) => identity.id === delegate);
      const isThere = box?.registered().includes(input.candidate) ?? false;
      const isKnown = box !== undefined && (input.watchers.get(delegate)?.isConnected ?? false);
      if (isKnown && box.identity.maxVersions > 1 && !isThere) {
        broken(
          `parity passed, and ${delegate} of ${tenant} is connected and not on ${input.candidate}`,
          tenants,
        );
      }
    }
  }

  /** The last healthy version stays wanted: the primary, or where its wave has not come, what was it before. */
  #keepsTraffic({ identity }: SimulatedBox, names: readonly VersionName[]): void {
    const { record, delegates } = this.#world.stored;
    const { traffic } = record;
    if (traffic.kind === 'none' || !this.#world.artifacts.has(traffic.primary)) return;
    const hasTurn = (version: VersionName | undefined): boolean => {
      const waves = delegates.waves.find(({ candidate }) => candidate === version);
      return waves === undefined || isAdmitted(waves, identity);
    };
    const needed = [traffic.primary, traffic.previous].find(hasTurn);
    const isLive = record.versions.some(
      ({ name, state, retirement }) => name === needed && isActive(state) && retirement === undefined,
    );
    if (needed !== undefined && isLive && !names.includes(needed)) {
      broken(`${needed} is healthy and was taken from a box`, { names, traffic, identity });
    }
  }

  #equalContent({ identity }: SimulatedBox, goal: GoalState): void {
    const { delegates } = this.#world.stored;
    const admitted = delegates.waves.map((waves) => isAdmitted(waves, identity));
    const key = JSON.stringify([goal.generation, identity.maxVersions, admitted, goal.decommission]);
    const content = JSON.stringify(goal.versions);
    const known = this.#contents.get(key) ?? content;
    if (known !== content)
      broken('equal generations have equal content for a class, before a restore and after it', {
        known,
        content,
      });
    this.#contents.set(key, content);
  }
}

/** Takes a place while it works on the candidate: the same words as the rule of waves, said again. */
function isOnItsWay({ identity, report, isConnected }: WatcherRecord, candidate: VersionName): boolean {
  if (!isConnected || identity.maxVersions < 2 || report.refusal !== '') return false;
  const state = report.versions.find(({ version }) => version === candidate)?.state ?? 'none';
  return ['none', 'Fetching', 'Starting', 'Unready', 'Draining'].includes(state);
}

function wavesInTurn(
  before: WavesRecord,
  { watchers, decommissioned }: WavesInput,
  after: WavesRecord,
): void {
  const going = watchers.filter(
    (watcher) => isOnItsWay(watcher, after.candidate) && !decommissioned.has(watcher.identity.id),
  );
  const waveOfBox = ({ identity }: WatcherRecord): number => waveOf(after.waves, identity.group);
  for (let wave = before.wave; wave < after.wave; wave += 1) {
    const left = going.filter((watcher) => waveOfBox(watcher) === wave);
    if (left.length > 0) broken(`wave ${wave} was left with boxes on their way`, left);
  }
  const policy = after.waves[after.wave];
  if (policy === undefined || after.phase === 'Done') return;
  const here = going.filter((watcher) => waveOfBox(watcher) === after.wave);
  const admitted = here.filter(({ identity }) => isAdmitted(after, identity));
  const fresh = admitted.filter(({ identity }) => !isAdmitted(before, identity));
  if (fresh.length > 0 && admitted.length > policy.maxInFlight) {
    broken('more than maxInFlight are on their way', { admitted, policy });
  }
  if (after.phase === 'Canaries' && fresh.length > policy.canaries) broken('canaries go alone', fresh);
  const isFreshRest = before.phase === 'Canaries' && after.phase === 'Rest' && before.wave === after.wave;
  const wasOnItsWay = here.filter(({ identity }) => isAdmitted(before, identity));
  if (isFreshRest && wasOnItsWay.length > 0) broken('the rest follows ready canaries', wasOnItsWay);
  // One that is admitted and has failed long ago halts the wave in the same plan.
  if (before.halt !== undefined && fresh.length > 0) broken('a halted wave admits nobody', after);
}

/** What is planned is the same without the boxes that are away, except those that had failed, and canaries that went away. */
function offlineNeverBlocks(input: WavesInput, watchers: readonly WatcherRecord[], next: WavesRecord): void {
  if (input.recorded.phase === 'Canaries') return;
  const here = watchers.filter(({ isConnected, report }) => {
    const stands = report.versions.find(({ version }) => version === next.candidate)?.state;
    return isConnected || stands === 'CrashLooping' || stands === 'ArtifactFailed';
  });
  const without = planWaves({ ...input, watchers: here }).next;
  const isSame =
    without.wave === next.wave && without.phase === next.phase && without.admittedTo === next.admittedTo;
  if (!isSame) broken('offline boxes never hold a wave up', { next, without });
}

/** The verdict is the same with one box more of a tenant that has others, if that box is away. */
function offlineIsNotWaitedFor(
  input: ParityInput,
  tenants: Parity['tenants'],
  verdict: Parity['verdict'],
): void {
  const { roll } = input;
  const some = tenants.find(({ state }) => state !== 'Unknown');
  if (roll?.kind !== 'named' || some === undefined) return;
  const away = { delegate: boxId('box-away'), tenant: some.tenant };
  const more = parity({ ...input, roll: { ...roll, boxes: [...roll.boxes, away] } }).verdict;
  if (more.kind !== verdict.kind) broken('offline boxes are not waited for', { verdict, more });
}

function broken(rule: string, facts: unknown): never {
  throw new Error(`${rule}\n${JSON.stringify(facts, undefined, 1)}`);
}
