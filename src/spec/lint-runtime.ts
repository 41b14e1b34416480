/** What a careful operator would want to know of the instances: addresses, commands, secrets, ports, readiness. */
import type {
  EndpointsRuntimeSpec,
  EndpointsVersion,
  ProcessesRuntimeSpec,
  VersionedService,
} from '../model/spec.ts';
import { formatSocketAddress } from './address.ts';
import { type Finding, warning, when } from './lint-finding.ts';
import { lintKubernetes } from './lint-kubernetes.ts';
import { looksSecret } from './looks-secret.ts';

/** The findings of spec.runtime. */
export function lintRuntime(service: VersionedService): readonly Finding[] {
  const { runtime, upstream } = service;
  switch (runtime.kind) {
    case 'endpoints':
      return ofEndpoints(runtime, upstream);
    case 'processes':
      return ofProcesses(runtime, service);
    case 'kubernetes':
      return lintKubernetes(runtime, upstream);
  }
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
    warning(
      'spec.upstream',
      'nothing notices a listed instance that is down: add healthCheck or outlierDetection',
    ),
  ];
}

function loneInstances(versions: readonly EndpointsVersion[], path: string): readonly Finding[] {
  return versions.flatMap(({ name, addresses }, index) =>
    when(addresses.length === 1, () =>
      warning(`${path}[${index}].addresses`, `${name} has one instance: when it restarts, ${name} is away`),
    ),
  );
}

function ofEnvironment({ environment }: ProcessesRuntimeSpec): readonly Finding[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    looksSecret(name, value)
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
  return warning(`spec.runtime.processes.${field}`, message);
}

function ofProcesses(
  runtime: ProcessesRuntimeSpec,
  { upstream: { protocol }, retention }: VersionedService,
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
  if (count >= instances && count < instances * retention.max) {
    findings.push(
      at(
        'ports',
        `has ${count} ports; ${retention.max} versions can live at once and need ${instances * retention.max}`,
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
    findings.push(
      warning(
        'spec.upstream.protocol',
        'the instances answer gRPC probes, but proxies speak HTTP/1.1 to them: write Http2 or SameAsClient',
      ),
    );
  }
  if (stopGrace === 0) findings.push(at('stopGrace', '0s: instances are killed with what they were doing'));
  return [...findings, ...ofEnvironment(runtime)];
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
      findings.push(warning(field, `${name} has no address: requests for it get 503`));
    for (const [position, address] of addresses.entries()) {
      const text = formatSocketAddress(address);
      const owner = owners.get(text);
      if (owner === undefined) owners.set(text, name);
      else
        findings.push(
          warning(
            `${field}[${position}]`,
            `"${text}" is an instance of ${owner} too: a pin on ${name} can reach ${owner}`,
          ),
        );
    }
    return findings;
  });
}
