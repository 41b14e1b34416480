/**
 * Counters with the label `service`: they begin at zero as soon as the service is known, so that a rate over the first
 * event is right and a panel has data at once, and they end with the service.
 */
import type { ServiceName } from '../model/names.ts';

/** Metrics that are kept for each service. */
export interface ServiceSeries {
  /** Begins the series of services that are new here, and ends those of services that are gone. */
  keep(present: ReadonlySet<ServiceName>): void;
}

/** Makes `keep` from how the series of one service begin and end. */
export function keepSeries(series: {
  readonly begin: (service: ServiceName) => void;
  readonly end: (service: ServiceName) => void;
}): ServiceSeries['keep'] {
  let known: ReadonlySet<ServiceName> = new Set();
  return (present) => {
    for (const service of known) if (!present.has(service)) series.end(service);
    for (const service of present) if (!known.has(service)) series.begin(service);
    known = new Set(present);
  };
}
