/**
 * Rules between services: what no single document can break. They run over all services of a controller, stored and
 * new, before anything is applied.
 */
import type { ServiceProblem } from '../model/problem.ts';
import type { ListenerBinding, VersionedService } from '../model/spec.ts';
import { formatSocketAddress } from './address.ts';

/** A listener as one service names it. */
interface Claim {
  readonly service: VersionedService;
  readonly field: string;
  readonly listener: ListenerBinding;
}

/**
 * The faults between services. An error is of the later service in the list, so put the stored ones first. The names
 * of the services must differ.
 */
export function checkTogether(services: readonly VersionedService[]): readonly ServiceProblem[] {
  const claims = services.flatMap((service) =>
    service.listeners.map(
      (listener, index): Claim => ({ service, listener, field: `spec.listeners[${index}]` }),
    ),
  );
  const betweenListeners = claims.flatMap((claim, index) =>
    claims.slice(0, index).flatMap((earlier) => betweenClaims(earlier, claim)),
  );
  return [...betweenListeners, ...portRanges(services, claims), ...groups(services)];
}

function betweenClaims(earlier: Claim, claim: Claim): readonly ServiceProblem[] {
  return earlier.listener.name === claim.listener.name ? sharing(earlier, claim) : competing(earlier, claim);
}

/** Two services on one listener: one address, port and access log, and no domain twice. */
function sharing(earlier: Claim, { service, field, listener }: Claim): readonly ServiceProblem[] {
  const problem = (part: string, message: string): ServiceProblem => ({
    severity: 'error',
    service: service.name,
    field: `${field}.${part}`,
    message,
  });
  const other = `service ${earlier.service.name} on the same listener ${listener.name}`;
  const problems: ServiceProblem[] = [];
  if (listener.address !== earlier.listener.address) {
    problems.push(
      problem(
        'address',
        `"${listener.address}" must be "${earlier.listener.address}" as for ${other}, or name another listener`,
      ),
    );
  }
  if (listener.port !== earlier.listener.port) {
    problems.push(
      problem(
        'port',
        `${listener.port} must be ${earlier.listener.port} as for ${other}, or name another listener`,
      ),
    );
  }
  if (listener.accessLog !== earlier.listener.accessLog) {
    problems.push(
      problem('accessLog', `${listener.accessLog} must be ${earlier.listener.accessLog} as for ${other}`),
    );
  }
  for (const [index, domain] of listener.domains.entries()) {
    if (!earlier.listener.domains.includes(domain)) continue;
    problems.push(
      problem(
        `domains[${index}]`,
        `"${domain}" belongs to ${other}: give one of them other domains, or another listener`,
      ),
    );
  }
  return problems;
}

/** Two listeners: no address and port twice. A proxy that is told only one of them would open it, so an overlap through "all addresses" is a warning. */
function competing(earlier: Claim, { service, field, listener }: Claim): readonly ServiceProblem[] {
  const other = earlier.listener;
  if (listener.port !== other.port) return [];
  const owner = `listener ${other.name} of service ${earlier.service.name}`;
  const place = formatSocketAddress({ host: other.address, port: other.port });
  if (listener.address === other.address) {
    const message = `${listener.port} is taken: ${owner} has ${place}; choose another port, or name the listener ${other.name} to share it`;
    return [{ severity: 'error', service: service.name, field: `${field}.port`, message }];
  }
  if (!overlaps(listener.address, other.address)) return [];
  const message = `${listener.port} overlaps with ${owner}, which has ${place}: one proxy cannot open both`;
  return [{ severity: 'warning', service: service.name, field: `${field}.port`, message }];
}

/** Whether one of two different addresses is "all addresses" of the other's family. */
function overlaps(left: string, right: string): boolean {
  if (isIpv6(left) !== isIpv6(right)) return false;
  const all = isIpv6(left) ? '::' : '0.0.0.0';
  return left === all || right === all;
}

function isIpv6(address: string): boolean {
  return address.includes(':');
}

/**
 * A group takes each step of traffic together, so its members must have the same steps: a weight that one of them lacks
 * would keep the others waiting for ever.
 */
function groups(services: readonly VersionedService[]): readonly ServiceProblem[] {
  return services.flatMap((service, index): readonly ServiceProblem[] => {
    const { name, group } = service;
    if (group === undefined) return [];
    const others = services.filter((other) => other !== service && other.group === group);
    if (others.length === 0) {
      const message = `"${group}" has no other service here: ${name} goes alone`;
      return [{ severity: 'warning', service: name, field: 'spec.group', message }];
    }
    const [first] = services.slice(0, index).filter((other) => other.group === group);
    const steps = walkOf(service);
    if (first === undefined || steps === walkOf(first)) return [];
    const message = `${steps} must be ${walkOf(first)} as for service ${first.name} of the same group ${group}: they move together`;
    return [{ severity: 'error', service: name, field: 'spec.traffic.steps', message }];
  });
}

function walkOf({ traffic: { steps, cohort } }: VersionedService): string {
  return [...(cohort === undefined ? [] : ['a cohort']), ...steps].join(', ');
}

/** Instances choose a free port of their range; where ranges meet, one service can take the ports of another. */
function portRanges(
  services: readonly VersionedService[],
  claims: readonly Claim[],
): readonly ServiceProblem[] {
  const ranges = services.flatMap(({ name, runtime }) =>
    runtime.kind === 'processes' ? [{ service: name, ...runtime.ports }] : [],
  );
  const field = 'spec.runtime.processes.ports';
  return ranges.flatMap(({ service, from, to }, index): readonly ServiceProblem[] => [
    ...ranges
      .slice(0, index)
      .filter((earlier) => from <= earlier.to && earlier.from <= to)
      .map(
        (earlier): ServiceProblem => ({
          severity: 'error',
          service,
          field,
          message: `${from} to ${to} overlaps with ${earlier.from} to ${earlier.to} of service ${earlier.service}: choose ports of its own`,
        }),
      ),
    ...[
      ...new Set(
        claims
          .filter(({ listener: { port } }) => port >= from && port <= to)
          .map(({ listener }) => `${listener.port} of listener ${listener.name}`),
      ),
    ].map(
      (taken): ServiceProblem => ({
        severity: 'warning',
        service,
        field,
        message: `${from} to ${to} holds port ${taken}: an instance could take it before the proxy does`,
      }),
    ),
  ]);
}
