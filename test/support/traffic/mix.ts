/**
 * Which request comes next: a fixed cycle of default traffic, pins to each version and pins that must be refused, over
 * each way to speak in turn. Pure, so that a run can be repeated.
 */
import { REQUEST_FACES, type RequestFace } from './samples.ts';

/** What to send. */
export interface MixOptions {
  /** Tenants of the default traffic: `tenant-0` and so on. */
  readonly tenants: number;
  /** Pins to send, one after the other; whether they are refused depends on the time. */
  readonly pins: readonly string[];
  /** Pins that name no version at any time. */
  readonly unknownPins: readonly string[];
  /**
   * Time that slow default requests take, so that some are under way whenever the routes change. Absent: none are slow;
   * a fenced version takes no slow ones, for example from a proxy that has not heard of the flip yet.
   */
  readonly slowMs?: number;
}

/** One request to send. */
export interface Planned {
  readonly face: RequestFace;
  readonly pin?: string;
  readonly tenant?: string;
  readonly path?: string;
}

const CYCLE = [
  'default',
  'pin',
  'default',
  'default',
  'pin',
  'default',
  'slow',
  'pin',
  'default',
  'unknown',
] as const;

/** Plans requests one by one. `isBusy` says that a tenant's last request is still under way: it is passed over. */
export class Mix {
  readonly #options: MixOptions;
  #planned = 0;
  #tenant = 0;
  #pin = 0;
  #unknown = 0;

  constructor(options: MixOptions) {
    this.#options = options;
  }

  next(isBusy: (tenant: string) => boolean): Planned {
    const { pins, unknownPins, slowMs } = this.#options;
    const place = this.#planned % CYCLE.length;
    const lap = Math.floor(this.#planned / CYCLE.length);
    this.#planned += 1;
    const face = REQUEST_FACES[(place + lap) % REQUEST_FACES.length] ?? 'http1';
    switch (CYCLE[place] ?? 'default') {
      case 'pin':
        return { face, ...takePin(pins, this.#pin++) };
      case 'unknown':
        return { face, ...takePin(unknownPins, this.#unknown++) };
      case 'slow':
        // gRPC has no slow method; its long calls are the streams.
        return {
          face: face === 'grpc' ? 'http2' : face,
          ...(slowMs === undefined ? {} : { path: `/slow?ms=${slowMs}` }),
        };
      case 'default':
        return { face, ...this.#nextTenant(isBusy) };
    }
  }

  #nextTenant(isBusy: (tenant: string) => boolean): { tenant?: string } {
    for (let tried = 0; tried < this.#options.tenants; tried += 1) {
      const tenant = `tenant-${this.#tenant++ % this.#options.tenants}`;
      if (!isBusy(tenant)) return { tenant };
    }
    return {};
  }
}

function takePin(pins: readonly string[], index: number): { pin?: string } {
  const pin = pins[index % pins.length];
  return pin === undefined ? {} : { pin };
}
