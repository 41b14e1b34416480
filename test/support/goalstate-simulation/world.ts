/**
 * A controller in simulated time, over boxes that come and go: it plans waves, commits generations, tells watchers and
 * judges parity, from what was committed and what it heard. What it does is told to `rules`.
 */
import { keptWaves, NO_DELEGATES, nextGeneration, noteReported } from '../../../src/goalstate/generation.ts';
import { Goals, type SentGoal } from '../../../src/goalstate/goals.ts';
import { type ParityInput, parity } from '../../../src/goalstate/parity.ts';
import { fixRoll } from '../../../src/goalstate/roll.ts';
import { followRollout } from '../../../src/goalstate/wave-rollout.ts';
import { planWaves, type WavesInput } from '../../../src/goalstate/waves.ts';
import { type Wish, wishOf } from '../../../src/goalstate/wish.ts';
import type { DelegateAnswer, DelegatesSpec } from '../../../src/model/delegates.ts';
import type { Artifact, GoalState, WatcherRecord } from '../../../src/model/goal-state.ts';
import { type Instant, instant } from '../../../src/model/instant.ts';
import { serviceName, type VersionName, versionName } from '../../../src/model/names.ts';
import type { Parity, Roll } from '../../../src/model/parity.ts';
import { isOpen } from '../../../src/model/rollout.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import type { DelegatesRecord, WavesRecord } from '../../../src/model/waves.ts';
import type { DelegateId } from '../../../src/model/workflow.ts';
import { aRecord, aVersion } from '../records.ts';
import type { Chance } from '../rollout-simulation/chance.ts';
import { SimulatedBox } from './box.ts';
import { drawSpec, TICK } from './setting.ts';

/** What survives a crash: one commit. */
export interface Stored {
  readonly record: ServiceRecord;
  readonly delegates: DelegatesRecord;
  /** Of the rollout that goes on. */
  readonly roll?: Roll;
}

export interface Rules {
  planned(input: WavesInput, next: WavesRecord): void;
  committed(before: Stored, after: Stored): void;
  sent(box: SimulatedBox, goal: GoalState): void;
  judged(input: ParityInput, verdict: Parity): void;
}

export class SimulatedWorld {
  readonly chance: Chance;
  readonly spec: DelegatesSpec;
  readonly boxes: SimulatedBox[];
  readonly artifacts = new Map<VersionName, Artifact>();
  /** As the controller knows them. */
  readonly watchers = new Map<DelegateId, WatcherRecord>();
  stored: Stored;
  /** How many were given, those that a restore has lost among them. */
  generations = 0;
  now = 3_600_000;
  isSourceDown = false;
  /** Why the waves did not go on when they were last planned. */
  because = '';
  verdict: Parity | undefined;
  rules: Rules | undefined;
  #gatheringUntil = 0;
  #goals: { readonly wish: Wish; readonly goals: Goals } | undefined;
  /** Made once for what is stored. */
  #wish: { readonly stored: Stored; readonly artifacts: number; readonly wish: Wish } | undefined;
  #sent = new Map<DelegateId, SentGoal>();

  constructor(chance: Chance) {
    this.chance = chance;
    this.spec = drawSpec(chance);
    const count = chance.of([3, 8, 20, 30]);
    this.boxes = Array.from({ length: count }, (_, index) => new SimulatedBox(chance, index));
    const traffic = { kind: 'steady', primary: versionName('v1'), previous: versionName('v0') } as const;
    const versions = [
      aVersion('v0', { lastPrimary: instant(1) }),
      aVersion('v1', { state: 'Primary', lastPrimary: instant(2) }),
    ];
    this.stored = { record: aRecord({ traffic, versions }), delegates: NO_DELEGATES };
    for (const version of ['v0', 'v1']) this.publishArtifact(versionName(version));
  }

  at(): Instant {
    return instant(this.now);
  }

  publishArtifact(version: VersionName): void {
    this.artifacts.set(version, {
      service: serviceName('manager'),
      version,
      url: `https://files.example.com/${version}`,
      sha256: 'ab'.repeat(32),
      size: 1_000,
      signature: `${'A'.repeat(86)}==`,
      command: ['${artifact}/delegate'],
    });
  }

  wish(): Wish {
    const { record, delegates } = this.stored;
    if (this.#wish?.stored !== this.stored || this.#wish.artifacts !== this.artifacts.size) {
      const wish = wishOf({ record, delegates, artifacts: this.artifacts });
      this.#wish = { stored: this.stored, artifacts: this.artifacts.size, wish };
    }
    return this.#wish.wish;
  }

  commit(change: Partial<Stored>): void {
    const before = this.stored;
    const next = { ...before, ...change };
    // As it is read again after a restart.
    const delegates = JSON.parse(JSON.stringify(next.delegates)) as DelegatesRecord;
    this.stored = { ...next, delegates };
    this.rules?.committed(before, this.stored);
  }

  /** The controller's memory is lost: watchers are known from what was saved, and none is connected. */
  crash(): void {
    this.#sent = new Map();
    this.#gatheringUntil = this.now + 6 * TICK;
    for (const [id, known] of this.watchers) this.watchers.set(id, { ...known, isConnected: false });
  }

  /** One round: hear, plan, commit, tell. */
  round(): void {
    this.#hear();
    this.#advanceWaves();
    this.#raiseGeneration();
    if (this.chance.in(0.01)) this.crash();
    this.#tell();
    this.#judge();
  }

  /** How the waves of a rollout would be planned now. */
  wavesInput(recorded: WavesRecord): WavesInput {
    const { rollout } = this.stored.record;
    return {
      ...followRollout(recorded, this.stored.record),
      decommissioned: this.wish().decommissioned,
      watchers: [...this.watchers.values()],
      now: this.at(),
      urgent: rollout?.urgent ?? false,
      gathering: this.now < this.#gatheringUntil ? 'watchers are still coming back' : '',
    };
  }

  #hear(): void {
    for (const box of this.boxes) {
      const { id } = box.identity;
      const known = this.watchers.get(id);
      if (!box.isOnline) {
        if (known?.isConnected === true) this.watchers.set(id, { ...known, isConnected: false });
        this.#sent.delete(id);
        continue;
      }
      if (!box.isHealed && this.chance.in(0.1)) continue;
      const { identity } = box;
      this.watchers.set(id, { identity, report: box.report(), isConnected: true, lastSeen: this.at() });
    }
  }

  #advanceWaves(): void {
    const { delegates, record } = this.stored;
    const waves = keptWaves(delegates.waves, record).map((recorded) => {
      const input = this.wavesInput(recorded);
      const { next, because } = planWaves(input);
      this.rules?.planned(input, next);
      if (recorded.rollout === record.rollout?.id) this.because = because;
      return next;
    });
    const isSame =
      waves.length === delegates.waves.length && waves.every((one, at) => one === delegates.waves[at]);
    if (!isSame) this.commit({ delegates: { ...delegates, waves } });
  }

  #raiseGeneration(): void {
    const { delegates } = this.stored;
    let next = delegates;
    for (const { report } of this.watchers.values()) {
      next = noteReported(next, Math.max(report.seen, report.applied));
    }
    if (this.now >= this.#gatheringUntil) {
      const because = 'what is recorded has changed';
      next = nextGeneration({ delegates: next, wish: this.wish(), because, now: this.at() });
    }
    if (next.current !== delegates.current) this.generations += 1;
    if (next !== delegates) this.commit({ delegates: next });
  }

  #tell(): void {
    const { record, delegates } = this.stored;
    if (delegates.current.generation === 0 || this.now < this.#gatheringUntil) return;
    const wish = this.wish();
    if (this.#goals?.wish !== wish) {
      this.#goals = { wish, goals: new Goals({ service: record.name, delegates, wish }) };
    }
    const { goals } = this.#goals;
    for (const box of this.boxes) {
      const watcher = this.watchers.get(box.identity.id);
      if (!box.isOnline || watcher?.isConnected !== true) continue;
      const offer = goals.offer(watcher, this.#sent.get(box.identity.id));
      if (offer.kind !== 'Send') continue;
      if (!box.polls) this.#sent.set(box.identity.id, offer.sent);
      this.rules?.sent(box, offer.goal);
      box.receive(offer.goal);
    }
  }

  answer(): DelegateAnswer {
    if (this.isSourceDown) return { kind: 'unknown', reason: 'no manager answers' };
    const delegates = this.boxes.flatMap((box) =>
      box.registered().map((version) => ({
        delegate: box.identity.id,
        tenant: box.identity.tenant,
        version,
        tags: [],
        capacity: 1,
        running: 0,
        manager: 'm1' as never,
        since: instant(0),
        lastSeen: this.at(),
      })),
    );
    return { kind: 'named', asOf: this.at(), delegates };
  }

  #judge(): void {
    const { record, delegates, roll } = this.stored;
    const { rollout } = record;
    this.verdict = undefined;
    if (rollout === undefined || !isOpen(rollout.state) || rollout.step.kind !== 'Deploy') return;
    const { version: candidate, baseline } = rollout;
    const answer = this.answer();
    const now = this.at();
    if (roll === undefined) {
      const fixed = fixRoll({ answer, baseline, activeWithin: this.spec.activeWithin, now });
      if (fixed !== undefined) this.commit({ roll: fixed });
    }
    const input: ParityInput = {
      roll: this.stored.roll,
      answer,
      watchers: this.watchers,
      decommissioned: this.wish().decommissioned,
      candidate,
      baseline,
      spec: this.spec,
      waves: delegates.waves.find((waves) => waves.rollout === rollout.id),
      leftOut: this.wish().leftOut.find(({ version }) => version === candidate)?.reason ?? '',
      startedAt: rollout.startedAt,
      now,
    };
    this.verdict = parity(input);
    this.rules?.judged(input, this.verdict);
  }
}
