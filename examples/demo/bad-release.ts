/**
 * Looks at the gateway from outside, to time how a bad release is caught: when it first answered with 500, be it to a
 * client or to a copy, and when the gateway's routes had it in no default traffic and no copies any more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Envoy } from '../../test/support/envoy.ts';
import { eventually } from '../../test/support/eventually.ts';

const LOOK_EVERY_MS = 20;

/** What was seen; milliseconds since 1970. */
export interface Seen {
  readonly firstFaultAt: number;
  /** The gateway's first routes without the release. */
  readonly goneAt: number;
}

/** Begins to look. `seen` resolves when the release has come, answered badly and gone. */
export function watchBadRelease(gateway: Envoy, version: string): { seen(): Promise<Seen>; stop(): void } {
  let firstFaultAt: number | undefined;
  let isServed = false;
  let goneAt: number | undefined;
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted) {
      firstFaultAt ??= (await hasFailed(gateway, version)) ? Date.now() : undefined;
      const served = await isInDefaultRoutes(gateway, version);
      if (isServed && !served) goneAt = Date.now();
      if (served) goneAt = undefined;
      isServed = served;
      await sleep(LOOK_EVERY_MS);
    }
  })();
  // `seen` tells of a failure; when nobody asks any more, the gateway may be gone.
  looking.catch(() => {});
  return {
    async seen() {
      const both = (): Seen | undefined =>
        firstFaultAt === undefined || goneAt === undefined ? undefined : { firstFaultAt, goneAt };
      const seen = eventually(both, { what: `the gateway without ${version}`, within: 30_000 });
      const broken = looking.then(() => Promise.reject(new Error('nobody looks at the gateway any more')));
      try {
        return await Promise.race([seen, broken]);
      } finally {
        over.abort();
        seen.catch(() => {});
        broken.catch(() => {});
      }
    },
    stop() {
      over.abort();
    },
  };
}

/** Envoy counts what clients and what copies were answered under two names. */
async function hasFailed(gateway: Envoy, version: string): Promise<boolean> {
  const counters = await gateway.stats(`^cluster\\.manager__${version}__.*upstream_rq_500$`);
  return counters.values().some((count) => count > 0);
}

async function isInDefaultRoutes(gateway: Envoy, version: string): Promise<boolean> {
  const dump: unknown = JSON.parse(await gateway.text('/config_dump?resource=dynamic_route_configs'));
  return namesInDefaultRoutes(dump, version);
}

/** Whether a route of default traffic in a dump gives the version requests or copies of them. */
export function namesInDefaultRoutes(dump: unknown, version: string): boolean {
  if (typeof dump !== 'object' || dump === null) return false;
  if ('name' in dump && typeof dump.name === 'string' && dump.name.startsWith('manager/Default')) {
    return new RegExp(`"manager__${version}(__mirror)?"`).test(JSON.stringify(dump));
  }
  return Object.values(dump).some((part) => namesInDefaultRoutes(part, version));
}
