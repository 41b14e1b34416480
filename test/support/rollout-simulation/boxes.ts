/** The boxes of a simulated service's delegates: slow, offline or failing by chance; healed, all of them come. */
import type { DelegateAnswer } from '../../../src/model/delegates.ts';
import { tenantName, type VersionName } from '../../../src/model/names.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import { isActive } from '../../../src/model/state.ts';
import type { DelegateId, ManagerId } from '../../../src/model/workflow.ts';
import type { Chance } from './chance.ts';
import { at } from './fleet.ts';

const TENANTS = 5;
const BOXES_EACH = 2;

interface SimulatedBox {
  readonly id: DelegateId;
  readonly tenant: ReturnType<typeof tenantName>;
  isOnline: boolean;
  /** When it is connected to each version that it was told; Infinity: it fails there. */
  readonly readyAt: Map<VersionName, number>;
}

export class Boxes {
  readonly #chance: Chance;
  readonly boxes: readonly SimulatedBox[];
  /** Whether the source answers. */
  isKnown = true;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.boxes = Array.from({ length: TENANTS * BOXES_EACH }, (_, index) => ({
      id: `box-${index}` as DelegateId,
      tenant: tenantName(`tenant-${index % TENANTS}`),
      isOnline: true,
      readyAt: new Map(),
    }));
  }

  /** They follow what the record wants on them, each in its own time. */
  live(record: ServiceRecord, now: number, isHealed: boolean): void {
    const chance = this.#chance;
    if (isHealed) this.isKnown = true;
    else if (chance.in(0.03)) this.isKnown = !this.isKnown;
    const wanted = record.versions
      .filter(({ state, retirement }) => isActive(state) && retirement === undefined)
      .map(({ name }) => name);
    for (const box of this.boxes) {
      if (isHealed) box.isOnline = true;
      else if (chance.in(0.005)) box.isOnline = !box.isOnline;
      if (!box.isOnline) continue;
      for (const version of box.readyAt.keys()) {
        if (!wanted.includes(version) && (isHealed || chance.in(0.2))) box.readyAt.delete(version);
      }
      for (const version of wanted) {
        if (!box.readyAt.has(version)) box.readyAt.set(version, now + this.#delay(record, version));
        else if (isHealed || chance.in(0.002)) box.readyAt.set(version, now);
      }
    }
  }

  /** What the source says now. */
  answer(now: number): DelegateAnswer {
    if (!this.isKnown) return { kind: 'unknown', reason: 'nobody answers' };
    const delegates = this.boxes
      .filter(({ isOnline }) => isOnline)
      .flatMap(({ id, tenant, readyAt }) =>
        [...readyAt]
          .filter(([, ready]) => ready <= now)
          .map(([version]) => ({
            delegate: id,
            tenant,
            version,
            tags: [],
            capacity: 1,
            running: 0,
            manager: 'manager-1' as ManagerId,
            since: at(now),
            lastSeen: at(now),
          })),
      );
    return { kind: 'named', asOf: at(now), delegates };
  }

  /** The primary's are there from the beginning. */
  #delay({ traffic }: ServiceRecord, version: VersionName): number {
    if (traffic.kind !== 'none' && traffic.primary === version) return 0;
    return this.#chance.in(0.03) ? Number.POSITIVE_INFINITY : this.#chance.between(0, 60) * 1_000;
  }
}
