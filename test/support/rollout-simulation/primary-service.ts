/** The Service for clients without a proxy in a simulated rollout: it follows the primary after a while, or is nobody's of ours. */
import type { VersionName } from '../../../src/model/names.ts';
import type { PrimaryServiceStanding } from '../../../src/model/primary-service.ts';
import type { Traffic } from '../../../src/model/state.ts';
import type { Chance } from './chance.ts';

const NAME = 'manager';

export class SimulatedService {
  readonly #chance: Chance;
  readonly #kind: 'none' | 'ours' | 'notOurs';
  #leads: VersionName | undefined;
  #movesAt = 0;
  #wanted: VersionName | undefined;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#kind = chance.of(['none', 'ours', 'ours', 'notOurs']);
  }

  /** It is moved when all traffic is at one version, sooner or later; at once where all is healed. */
  live(traffic: Traffic, now: number, isHealed: boolean): void {
    if (traffic.kind !== 'steady') return;
    if (this.#wanted !== traffic.primary) {
      this.#wanted = traffic.primary;
      this.#movesAt = now + this.#chance.between(0, 120) * 1_000;
    }
    if (isHealed || this.#movesAt <= now) this.#leads = traffic.primary;
  }

  get standing(): PrimaryServiceStanding | undefined {
    switch (this.#kind) {
      case 'none':
        return undefined;
      case 'notOurs':
        return { kind: 'NotOurs', name: NAME, problem: 'it is somebody else’s' };
      case 'ours':
        return this.#leads === undefined
          ? { kind: 'Nowhere', name: NAME, problem: '' }
          : { kind: 'Leads', name: NAME, version: this.#leads, problem: '' };
    }
  }
}
