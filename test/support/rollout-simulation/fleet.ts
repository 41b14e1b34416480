/** The instances, proxies and open work of a simulated service: they come and go by chance, and heal when told. */
import type { Instance } from '../../../src/model/instance.ts';
import { type Instant, instant } from '../../../src/model/instant.ts';
import type { VersionName } from '../../../src/model/names.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import type { WorkObservation } from '../../../src/rollout/observation.ts';
import type { Chance } from './chance.ts';

export const INSTANCES_EACH = 2;

interface SimulatedInstance {
  readonly version: VersionName;
  readonly index: number;
  readyAt: number;
}

interface SimulatedProxy {
  readonly id: string;
  isConnected: boolean;
  acknowledged: number;
  /** When it will answer the newest publication. */
  answersAt: number;
  rejects: boolean;
}

export class Fleet {
  readonly #chance: Chance;
  readonly #instances: SimulatedInstance[] = [];
  readonly proxies: SimulatedProxy[];
  readonly open = new Map<VersionName, number>();
  /** Versions whose instances never become ready. */
  readonly stuck = new Set<VersionName>();
  publication = 1;
  isHealed = false;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.proxies = ['gw-1', 'gw-2', 'gw-3'].map((id) => ({
      id,
      isConnected: true,
      acknowledged: 1,
      answersAt: 0,
      rejects: false,
    }));
  }

  /** Starts and stops instances as the record wants them. */
  want(record: ServiceRecord, now: number): void {
    const wanted = record.versions
      .filter(({ state, retirement }) => state !== 'Retired' && retirement?.step !== 'StoppingInstances')
      .map(({ name }) => name);
    for (const version of wanted) {
      for (let index = 0; index < INSTANCES_EACH; index += 1) {
        const exists = this.#instances.some((one) => one.version === version && one.index === index);
        const delay = this.isHealed ? 1_000 : this.#chance.between(1, 60) * 1_000;
        if (!exists) this.#instances.push({ version, index, readyAt: now + delay });
      }
    }
    for (let index = this.#instances.length - 1; index >= 0; index -= 1) {
      const one = this.#instances[index];
      if (one !== undefined && !wanted.includes(one.version)) this.#instances.splice(index, 1);
    }
  }

  instances(record: ServiceRecord, now: number): readonly Instance[] {
    return this.#instances.map(({ version, index, readyAt }) => ({
      id: `${version}-${index}`,
      service: record.name,
      version,
      address: { host: '127.0.0.1', port: 9_000 + index },
      state: readyAt <= now && !this.stuck.has(version) ? 'Ready' : 'Starting',
      reason: '',
      since: instant(0),
      restarts: 0,
    }));
  }

  publish(now: number, skip = 1): void {
    this.publication += skip;
    for (const proxy of this.proxies) {
      proxy.answersAt = now + (this.isHealed ? 0 : this.#chance.between(0, 20) * 1_000);
      proxy.rejects = !this.isHealed && this.#chance.in(0.02);
    }
  }

  /** Chance at work; a healed fleet only recovers. */
  live(now: number): void {
    for (const proxy of this.proxies) {
      if (this.isHealed) Object.assign(proxy, { isConnected: true, rejects: false });
      else if (this.#chance.in(0.01)) proxy.isConnected = !proxy.isConnected;
      else if (this.#chance.in(0.1)) proxy.rejects = false;
      if (proxy.isConnected && !proxy.rejects && proxy.answersAt <= now)
        proxy.acknowledged = this.publication;
    }
    if (this.isHealed) {
      for (const one of this.#instances) one.readyAt = Math.min(one.readyAt, now);
    } else if (this.#chance.in(0.02) && this.#instances.length > 0) {
      this.#chance.of(this.#instances).readyAt = now + this.#chance.between(5, 120) * 1_000;
    }
  }

  behind(publication: number): {
    readonly connected: readonly SimulatedProxy[];
    readonly all: readonly string[];
  } {
    const late = this.proxies.filter(({ acknowledged }) => acknowledged < publication);
    return { connected: late.filter(({ isConnected }) => isConnected), all: late.map(({ id }) => id) };
  }

  /** What a round of fencing and counting finds: work ends by and by, and new work comes only to unfenced versions. */
  count(version: VersionName, isFenced: boolean): WorkObservation {
    const open = this.open.get(version) ?? this.#chance.between(0, 3);
    const left = isFenced
      ? Math.max(0, open - this.#chance.between(0, 2))
      : open + this.#chance.between(0, 1);
    this.open.set(version, left);
    const isKnown = this.isHealed || this.#chance.in(0.9);
    return {
      fenceConfirmed: isFenced && isKnown,
      liftConfirmed: !isFenced && isKnown,
      open: isKnown ? left : undefined,
      problem: isKnown ? '' : 'nobody answered',
    };
  }
}

/** A simulated instant. */
export function at(now: number): Instant {
  return instant(now);
}
