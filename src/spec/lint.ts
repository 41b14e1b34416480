/**
 * What a careful operator would want to know of a spec that is valid: each finding is a warning that says what can
 * happen and what to write instead.
 */
import type { ServiceProblem } from '../model/problem.ts';
import type {
  EndpointsRuntimeSpec,
  EndpointsVersion,
  ProcessesRuntimeSpec,
  Scope,
  VersionedService,
} from '../model/spec.ts';
import { formatSocketAddress } from './address.ts';

interface Finding {
  readonly field: string;
  readonly message: string;
}

/** The most versions of a service that live at once. */
const LIVE_VERSIONS = 3;

/** The findings of one service, all of them warnings. */
export function lintService(service: VersionedService): readonly ServiceProblem[] {
  const findings = [
    ...ofListeners(service),
    ...ofPin(service),
    ...ofTenantKey(service),
    ...ofSteps(service),
    ...ofRuntime(service),
    ...ofUpstream(service),
    ...ofDrain(service),
  ];
  return findings.map(({ field, message }) => ({
    severity: 'warning',
    service: service.name,
    field,
    message,
  }));
}

/**
 * The findings of listed versions; `path` is the field that holds the list. A watched file follows what runs now, and
 * what is found in it is shown as wrong: so only faults of routing are named, no advice.
 */
export function lintEndpoints(versions: readonly EndpointsVersion[], path: string): readonly Finding[] {
  const owners = new Map<string, string>();
  return versions.flatMap(({ name, addresses }, index) => {
    const field = `${path}[${index}].addresses`;
    const findings: Finding[] = [];
    if (addresses.length === 0)
      findings.push({ field, message: `${name} has no address: requests for it get 503` });
    for (const [position, address] of addresses.entries()) {
      const text = formatSocketAddress(address);
      const owner = owners.get(text);
      if (owner === undefined) owners.set(text, name);
      else
        findings.push({
          field: `${field}[${position}]`,
          message: `"${text}" is an instance of ${owner} too: a pin on ${name} can reach ${owner}`,
        });
    }
    return findings;
  });
}

function ofListeners({ listeners }: VersionedService): readonly Finding[] {
  return listeners.flatMap(({ address }, index) =>
    address === '0.0.0.0' || address === '::'
      ? [
          {
            field: `spec.listeners[${index}].address`,
            message: `"${address}" opens the port on every network of the machine: name one address where that is enough`,
          },
        ]
      : [],
  );
}

function ofPin({ pin, upstream }: VersionedService): readonly Finding[] {
  return [
    ...ofScope(pin.allow, 'spec.pin.allow', 'every caller can choose the version that it reaches'),
    ...ofScope(
      pin.previewAllow,
      'spec.pin.previewAllow',
      'every caller can reach a version that is still Deploying',
    ),
    ...(pin.onUnknown === 'Primary'
      ? [
          {
            field: 'spec.pin.onUnknown',
            message:
              'work that began on a version which is gone falls through to the primary: Refuse tells its client instead',
          },
        ]
      : []),
    ...(pin.allow.kind === 'scoped' && pin.allow.grpcServices.length > 0 && upstream.protocol === 'Http1'
      ? [
          {
            field: 'spec.upstream.protocol',
            message: 'gRPC needs HTTP/2 and spec.pin.allow names gRPC services: write Http2 or SameAsClient',
          },
        ]
      : []),
  ];
}

function ofTenantKey({ tenantKey, traffic }: VersionedService): readonly Finding[] {
  if (tenantKey !== undefined)
    return ofScope(
      tenantKey.allow,
      'spec.tenantKey.allow',
      'every caller can act as any tenant when a version is chosen',
    );
  if (traffic.steps.length === 1) return [];
  return [
    {
      field: 'spec.traffic.steps',
      message:
        'a shift in steps without spec.tenantKey spreads by source address: all callers behind one address move together',
    },
  ];
}

function ofSteps({ traffic: { steps } }: VersionedService): readonly Finding[] {
  return steps.length === 1
    ? []
    : [
        {
          field: 'spec.traffic.steps',
          message: `${steps.join(', ')}: steps are not walked by themselves yet; move the traffic with \`switchyard set-weight\``,
        },
      ];
}

function ofScope(scope: Scope, field: string, consequence: string): readonly Finding[] {
  return scope.kind === 'everywhere'
    ? [{ field, message: `everywhere: ${consequence}; name hosts, paths or grpcServices` }]
    : [];
}

function ofRuntime({ runtime, upstream }: VersionedService): readonly Finding[] {
  if (runtime.kind === 'processes') return ofProcesses(runtime, upstream);
  return ofEndpoints(runtime, upstream);
}

function ofEndpoints(
  { versions }: EndpointsRuntimeSpec,
  { healthCheck, outlierDetection }: VersionedService['upstream'],
): readonly Finding[] {
  const path = 'spec.runtime.endpoints.versions';
  const findings = [...loneInstances(versions, path), ...lintEndpoints(versions, path)];
  if (healthCheck !== undefined || outlierDetection !== undefined) return findings;
  return [
    ...findings,
    {
      field: 'spec.upstream',
      message: 'nothing notices a listed instance that is down: add healthCheck or outlierDetection',
    },
  ];
}

function loneInstances(versions: readonly EndpointsVersion[], path: string): readonly Finding[] {
  return versions.flatMap(({ name, addresses }, index) =>
    addresses.length === 1
      ? [
          {
            field: `${path}[${index}].addresses`,
            message: `${name} has one instance: when it restarts, ${name} is away`,
          },
        ]
      : [],
  );
}

/** Names of variables that hold what nobody else should read, unless they name a file that holds it. */
const SECRET = /PASSWORD|PASSWD|TOKEN|SECRET|KEY/i;
const NAMES_A_FILE = /_(?:FILE|PATH|DIR)$/i;

function ofEnvironment({ environment }: ProcessesRuntimeSpec): readonly Finding[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value !== '' && SECRET.test(name) && !NAMES_A_FILE.test(name)
      ? [
          at(
            `environment.${name}`,
            'looks like a secret, and its value stands in the state file, in events and in backups: put it in a file that the service reads',
          ),
        ]
      : [],
  );
}

/** A finding of the `processes` runtime. */
function at(field: string, message: string): Finding {
  return { field: `spec.runtime.processes.${field}`, message };
}

function ofProcesses(
  runtime: ProcessesRuntimeSpec,
  { protocol }: VersionedService['upstream'],
): readonly Finding[] {
  const { command, environment, instances, ports, readiness, stopGrace } = runtime;
  const findings = [
    at('command', 'runs as the user of the controller, which must be started with --allow-commands'),
  ];
  const texts = [...command, ...Object.values(environment)];
  if (!texts.some((text) => text.includes('${port}'))) {
    findings.push(at('command', 'does not hold ${port}: every instance would open the same port'));
  }
  for (const [index, argument] of command.entries()) {
    for (const [placeholder] of argument.matchAll(/\$\{(?!(?:version|port|instance)\})[^}]*\}/g)) {
      findings.push(
        at(
          `command[${index}]`,
          `"${placeholder}" is handed on as it is: only \${version}, \${port} and \${instance} are replaced, and no shell reads it`,
        ),
      );
    }
  }
  if (instances === 1) findings.push(at('instances', '1 instance: when it restarts, its version is away'));
  const count = ports.to - ports.from + 1;
  if (count >= instances && count < instances * LIVE_VERSIONS) {
    findings.push(
      at(
        'ports',
        `has ${count} ports; ${LIVE_VERSIONS} versions can live at once and need ${instances * LIVE_VERSIONS}`,
      ),
    );
  }
  if (readiness.kind === 'tcp')
    findings.push(
      at(
        'readiness',
        'an open port does not show that an instance can serve: write {http: {path: ...}} or {grpc: {}}',
      ),
    );
  if (readiness.kind === 'grpc' && protocol === 'Http1') {
    findings.push({
      field: 'spec.upstream.protocol',
      message:
        'the instances answer gRPC probes, but proxies speak HTTP/1.1 to them: write Http2 or SameAsClient',
    });
  }
  if (stopGrace === 0) findings.push(at('stopGrace', '0s: instances are killed with what they were doing'));
  return [...findings, ...ofEnvironment(runtime)];
}

function ofUpstream({ upstream: { outlierDetection } }: VersionedService): readonly Finding[] {
  return outlierDetection?.maxEjectionPercent === 100
    ? [
        {
          field: 'spec.upstream.outlierDetection.maxEjectionPercent',
          message: '100: one bad dependency can eject every instance of a version at once',
        },
      ]
    : [];
}

function ofDrain({ drain }: VersionedService): readonly Finding[] {
  return drain.source.kind === 'none'
    ? [
        {
          field: 'spec.drain',
          message:
            'nobody counts the open work of a version: an operator must know when it is empty; write {http: ...}',
        },
      ]
    : [];
}
