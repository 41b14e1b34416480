/** What the proxies reported of the requests that they served. Pushed by the proxies; read by views and reports. */
import type { Instant } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import type { TrafficCount, TrafficCoverage } from '../model/traffic.ts';

export interface TrafficLog {
  /** The counts of a service whose span begins in [from, to), oldest first, newest included as far as reported. */
  counts(query: {
    readonly service: ServiceName;
    readonly from: Instant;
    readonly to: Instant;
  }): Promise<readonly TrafficCount[]>;
  /** The same for the last spans, from memory: for views, which do not wait. */
  recent(service: ServiceName): readonly TrafficCount[];
  /** When somebody listened within [from, to), and what may be missing, oldest first. */
  coverage(query: { readonly from: Instant; readonly to: Instant }): Promise<readonly TrafficCoverage[]>;
  /** Proxies that report now, and since when; a time that no proxy covered is not measurable. */
  reporters(): readonly { readonly proxy: string; readonly since: Instant; readonly entriesLost: number }[];
}
