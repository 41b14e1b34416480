/** What befalls a simulated fleet: boxes come and go, customers close windows, operators step in, backups are restored. */
import { noteRestored, reassert } from '../../../src/goalstate/generation.ts';
import { resumeWaves, skipWave } from '../../../src/goalstate/waves.ts';
import { isOpen } from '../../../src/model/rollout.ts';
import type { WavesRecord } from '../../../src/model/waves.ts';
import { SimulatedBox } from './box.ts';
import { endRollout, startRollout } from './rollouts.ts';
import type { FleetRules } from './rules.ts';
import { TICK } from './setting.ts';
import type { SimulatedWorld, Stored } from './world.ts';

export class Trouble {
  readonly #world: SimulatedWorld;
  readonly #rules: FleetRules;
  readonly #unpublished = new Set<string>();
  #versions = 1;
  #backup: Stored;
  #mayRestore: boolean;

  constructor(world: SimulatedWorld, rules: FleetRules) {
    this.#world = world;
    this.#rules = rules;
    this.#backup = world.stored;
    this.#mayRestore = world.chance.in(0.2);
  }

  tick(): void {
    this.#boxes();
    this.#source();
    this.#rollouts();
    this.#operator();
    this.#restore();
  }

  /** Everything heals, and a person settles what waits for one. */
  settle(): void {
    const { boxes, artifacts } = this.#world;
    this.#world.isSourceDown = false;
    for (const box of boxes) box.heal();
    for (const version of this.#unpublished) {
      const name = this.#world.stored.record.versions.find((one) => one.name === version)?.name;
      if (name !== undefined && !artifacts.has(name)) this.#world.publishArtifact(name);
    }
    if (this.#world.stored.delegates.foreign !== undefined) this.#assert();
    if (this.#ours()?.halt !== undefined) this.#order('Resume');
  }

  #boxes(): void {
    const { chance, boxes, now } = this.#world;
    for (const box of boxes) {
      if (box.isOnline ? chance.in(0.01) : chance.in(0.1)) box.isOnline = !box.isOnline;
      if (box.windowOpens > 0 && box.windowOpens <= now) box.windowOpens = 0;
      else if (chance.in(0.003)) box.windowOpens = now + chance.between(1, 100) * TICK;
    }
    if (chance.in(0.02) && boxes.length < 40) boxes.push(new SimulatedBox(chance, boxes.length));
    // A part of the network is cut off.
    if (chance.in(0.005)) for (const box of boxes) if (box.identity.group === 'north') box.isOnline = false;
  }

  #source(): void {
    const { chance, isSourceDown } = this.#world;
    if (chance.in(isSourceDown ? 0.2 : 0.01)) this.#world.isSourceDown = !isSourceDown;
  }

  #rollouts(): void {
    const { chance, stored } = this.#world;
    const { rollout, versions } = stored.record;
    const isOngoing = rollout !== undefined && isOpen(rollout.state);
    if (!isOngoing && chance.in(0.05) && versions.length < 8) {
      this.#versions += 1;
      const name = `v${this.#versions}`;
      const hasArtifact = chance.in(0.9);
      if (!hasArtifact) this.#unpublished.add(name);
      startRollout(this.#world, name, hasArtifact);
    }
    if (isOngoing && chance.in(0.002))
      endRollout(this.#world, rollout.step.kind === 'Soak' ? 'RolledBack' : 'Aborted');
    if (rollout !== undefined && this.#unpublished.has(rollout.version) && chance.in(0.05)) {
      this.#world.publishArtifact(rollout.version);
    }
  }

  #operator(): void {
    const { chance, stored, boxes } = this.#world;
    const ours = this.#ours();
    if (ours?.halt !== undefined && chance.in(0.05)) this.#order('Resume');
    else if (ours !== undefined && chance.in(0.003)) this.#order('Skip');
    if (stored.delegates.foreign !== undefined && chance.in(0.05)) this.#assert();
    if (chance.in(0.002)) {
      const delegate = chance.of(boxes).identity.id;
      const order = { delegate, by: 'operator', reason: 'gone', since: this.#world.at() };
      // Read anew: what the operator has just asserted stands.
      const { delegates } = this.#world.stored;
      this.#world.commit({ delegates: { ...delegates, decommissions: [...delegates.decommissions, order] } });
    }
  }

  #restore(): void {
    const { chance } = this.#world;
    if (chance.in(0.02)) this.#backup = this.#world.stored;
    if (!this.#mayRestore || !chance.in(0.005)) return;
    this.#mayRestore = false;
    this.#rules.isOperatorsDoing = true;
    const delegates = noteRestored(this.#backup.delegates, this.#world.at());
    this.#world.commit({ roll: undefined as never, ...this.#backup, delegates });
    this.#world.crash();
    this.#rules.isOperatorsDoing = false;
  }

  #ours(): WavesRecord | undefined {
    const { record, delegates } = this.#world.stored;
    const waves = delegates.waves.find(({ rollout }) => rollout === record.rollout?.id);
    return waves?.phase === 'Done' ? undefined : waves;
  }

  #order(kind: 'Resume' | 'Skip'): void {
    const waves = this.#ours();
    if (waves === undefined) return;
    const { delegates } = this.#world.stored;
    const order = { by: 'operator', reason: 'looked at it', at: this.#world.at() };
    const boxes = this.#world.wavesInput(waves);
    const next = kind === 'Resume' ? resumeWaves(waves, order, boxes) : skipWave(waves, order, boxes);
    const all = delegates.waves.map((one) => (one === waves ? next : one));
    this.#world.commit({ delegates: { ...delegates, waves: all } });
  }

  #assert(): void {
    const { delegates } = this.#world.stored;
    const next = reassert({ delegates, by: 'operator', reason: 'restored', now: this.#world.at() });
    if (next !== undefined) this.#world.commit({ delegates: next });
  }
}
