/** Which Deployment and which Service belong together, from the one that was named. What is not clear is not guessed. Pure. */
import { NamespaceWorkError } from '../namespace-work/error.ts';
import type { Backend, Deployment, Ingress, Service, ServicePort } from './objects.ts';
import { isChosen, type Labels, selectorText } from './selectors.ts';

const TARGET_KINDS = ['deployment', 'service', 'ingress'] as const;

/** As kubectl takes them; a group may follow. */
const WORDS: Readonly<Record<Target['kind'], readonly string[]>> = {
  deployment: ['deployment', 'deployments', 'deploy'],
  service: ['service', 'services', 'svc'],
  ingress: ['ingress', 'ingresses', 'ing'],
};

export interface Target {
  readonly kind: (typeof TARGET_KINDS)[number];
  readonly name: string;
}

export interface Found {
  readonly deployments: readonly Deployment[];
  readonly services: readonly Service[];
  readonly ingresses: readonly Ingress[];
}

export interface Chosen {
  readonly deployment: Deployment;
  readonly service: Service;
  readonly port: ServicePort;
  /** That an Ingress of it names. */
  readonly hosts: readonly string[];
}

/** Reads `deployment/NAME`. Throws NamespaceWorkError. */
export function targetOf(text: string): Target {
  const [word = '', name = '', ...more] = text.split('/');
  const [plain = ''] = word.toLowerCase().split('.');
  const kind = TARGET_KINDS.find((known) => WORDS[known].includes(plain));
  if (kind !== undefined && name !== '' && more.length === 0) return { kind, name };
  throw new NamespaceWorkError(`${JSON.stringify(text)} names nothing that can be adopted`, [
    'write deployment/NAME, service/NAME or ingress/NAME',
  ]);
}

/** Throws NamespaceWorkError, which lists what was found. `port` is that of the Service: its number or its name. */
export function choose(target: Target, found: Found, port: string | undefined): Chosen {
  const ingress = target.kind === 'ingress' ? named(found.ingresses, target) : undefined;
  const backend = ingress && backendOf(ingress);
  const service = backend === undefined ? serviceOf(target, found) : named(found.services, backend.target);
  const deployment = deploymentOf(target, service, found);
  return {
    deployment,
    service,
    port: portOf(service, port ?? backend?.port),
    hosts: ingress === undefined ? [] : hostsOf(ingress, service.metadata.name),
  };
}

/** The labels that the Pods of a Deployment have. */
export function labelsOf({ spec }: Deployment): Labels {
  const metadata = spec.template['metadata'] as { readonly labels?: Labels } | undefined;
  return metadata?.labels ?? {};
}

function named<Item extends Deployment | Service | Ingress>(
  items: readonly Item[],
  { kind, name }: Target,
): Item {
  const item = items.find(({ metadata }) => metadata.name === name);
  if (item !== undefined) return item;
  throw new NamespaceWorkError(`there is no ${kind}/${name}`, [
    `there are: ${items.map(({ metadata }) => `${kind}/${metadata.name}`).join(', ') || 'none'}`,
  ]);
}

function serviceOf(target: Target, { services, deployments }: Found): Service {
  if (target.kind !== 'deployment') return named(services, target);
  const deployment = named(deployments, target);
  const labels = labelsOf(deployment);
  const [service, ...others] = services.filter(({ spec }) => isChosen(labels, spec.selector));
  const list = (all: readonly Service[]): string[] =>
    all.map(({ metadata, spec }) => `service/${metadata.name} selects ${selectorText(spec.selector)}`);
  if (service === undefined) {
    throw new NamespaceWorkError(
      `no Service selects the Pods of deployment/${target.name}, which have the labels ${selectorText(labels)}`,
      list(services),
    );
  }
  if (others.length === 0) return service;
  throw new NamespaceWorkError(
    `${others.length + 1} Services select the Pods of deployment/${target.name}: say which its clients use, as in adopt service/${service.metadata.name}`,
    list([service, ...others]),
  );
}

function deploymentOf(target: Target, service: Service, { deployments }: Found): Deployment {
  if (target.kind === 'deployment') return named(deployments, target);
  const { metadata, spec } = service;
  const [deployment, ...others] = deployments.filter((one) => isChosen(labelsOf(one), spec.selector));
  const list = (all: readonly Deployment[]): string[] =>
    all.map((one) => `deployment/${one.metadata.name} has the labels ${selectorText(labelsOf(one))}`);
  if (deployment === undefined) {
    throw new NamespaceWorkError(
      `service/${metadata.name} selects ${selectorText(spec.selector)}, and no Deployment has Pods with these labels`,
      list(deployments),
    );
  }
  if (others.length === 0) return deployment;
  throw new NamespaceWorkError(
    `service/${metadata.name} selects the Pods of ${others.length + 1} Deployments: its clients would lose those of all but one`,
    list([deployment, ...others]),
  );
}

function portOf({ metadata, spec }: Service, wanted: string | undefined): ServicePort {
  const ports = spec.ports ?? [];
  const list = ports.map(({ name, port, targetPort = port }) => `${name ?? port}: ${port} to ${targetPort}`);
  const chosen =
    wanted === undefined
      ? ports
      : ports.filter(({ name, port }) => name === wanted || String(port) === wanted);
  const [port, ...others] = chosen;
  if (port !== undefined && others.length === 0) return port;
  throw new NamespaceWorkError(
    wanted === undefined
      ? `service/${metadata.name} has ${ports.length} ports: say with --port which one requests come to`
      : `service/${metadata.name} has no port ${wanted}`,
    list,
  );
}

function backendsOf({ spec = {} }: Ingress): readonly { readonly host: string; readonly backend: Backend }[] {
  const { defaultBackend, rules = [] } = spec;
  return [
    ...(defaultBackend === undefined ? [] : [{ host: '', backend: defaultBackend }]),
    ...rules.flatMap(({ host = '', http }) => (http?.paths ?? []).map(({ backend }) => ({ host, backend }))),
  ];
}

function backendOf(ingress: Ingress): { readonly target: Target; readonly port: string | undefined } {
  const services = backendsOf(ingress).flatMap(({ backend }) => backend.service ?? []);
  const names = [...new Set(services.map(({ name }) => name))];
  const [first] = services;
  if (first === undefined) {
    throw new NamespaceWorkError(`ingress/${ingress.metadata.name} has no Service as a backend`);
  }
  if (names.length > 1) {
    throw new NamespaceWorkError(
      `ingress/${ingress.metadata.name} has ${names.length} Services as backends: adopt them one by one`,
      names.map((name) => `adopt service/${name}`),
    );
  }
  const port = first.port?.name ?? first.port?.number;
  return {
    target: { kind: 'service', name: first.name },
    port: port === undefined ? undefined : String(port),
  };
}

function hostsOf(ingress: Ingress, service: string): readonly string[] {
  const hosts = backendsOf(ingress)
    .filter(({ host, backend }) => host !== '' && backend.service?.name === service)
    .map(({ host }) => host);
  return [...new Set(hosts)];
}
