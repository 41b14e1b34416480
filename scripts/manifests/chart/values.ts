/**
 * The values of the Helm chart: what each means, what it may be, and which fields it stands for. One that stands for a field
 * as it is has the field's value in the production overlay as its default.
 */
import type { Json } from '../../../src/install/json-patch.ts';

/** A JSON schema. */
export type Schema = { readonly [keyword: string]: Json };

export interface Value {
  /** `gateway.replicas` */
  readonly path: string;
  readonly description: string;
  readonly schema: Schema;
  /** Absent: what the field has that it stands for. */
  readonly initial?: Json;
  /** The fields that it stands for, as it is. */
  readonly at?: readonly Place[];
  /** A field that is left out where the value is empty. */
  readonly isOptional?: true;
}

/** A field of an object: `Deployment/switchyard-controller` and a JSON pointer. */
export interface Place {
  readonly object: string;
  readonly pointer: string;
}

export const CONTROLLER = 'Deployment/switchyard-controller';
export const GATEWAY = 'Deployment/switchyard-gateway';
const GATEWAY_SERVICE = 'Service/switchyard-gateway';
export const POD = '/spec/template/spec';
export const CONTAINER = `${POD}/containers/0`;

const flag: Schema = { type: 'boolean' };
const text: Schema = { type: 'string', minLength: 1 };
const texts: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const list: Schema = { type: 'array', items: { type: 'object' } };
const object: Schema = { type: 'object' };
const resources: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: { requests: object, limits: object, claims: list },
};
const pullPolicy: Schema = { enum: ['Always', 'IfNotPresent', 'Never'] };
const whole = (minimum: number, maximum: number): Schema => ({ type: 'integer', minimum, maximum });

const at = (pointer: string, ...objects: readonly string[]): readonly Place[] =>
  objects.map((name) => ({ object: name, pointer }));

export const VALUES: readonly Value[] = [
  {
    path: 'image.repository',
    description: "The controller's image, without its tag.",
    schema: text,
    initial: 'switchyard',
  },
  {
    path: 'image.tag',
    description: 'A tag, or a tag with a digest: `0.2.0@sha256:...`. Empty: the release of the chart.',
    schema: { type: 'string' },
    initial: '',
  },
  {
    path: 'image.pullPolicy',
    description: 'When it is pulled.',
    schema: pullPolicy,
    at: at(`${CONTAINER}/imagePullPolicy`, CONTROLLER),
  },
  {
    path: 'imagePullSecrets',
    description: 'Secrets for the registries, for the gateway too.',
    schema: list,
    initial: [],
    isOptional: true,
    at: at(`${POD}/imagePullSecrets`, CONTROLLER, GATEWAY),
  },
  {
    path: 'replicas',
    description: 'Of the controller. One writes, all serve proxies.',
    schema: whole(0, 9),
    at: at('/spec/replicas', CONTROLLER),
  },
  {
    path: 'logLevel',
    description: 'How much the controller logs.',
    schema: { enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'] },
    initial: 'info',
  },
  {
    path: 'resources',
    description: 'Of the controller.',
    schema: resources,
    at: at(`${CONTAINER}/resources`, CONTROLLER),
  },
  {
    path: 'topologySpreadConstraints',
    description: 'How the replicas of the controller are spread.',
    schema: list,
    isOptional: true,
    at: at(`${POD}/topologySpreadConstraints`, CONTROLLER),
  },
  {
    path: 'nodeSelector',
    description: 'On which machines, for the gateway too.',
    schema: texts,
    initial: {},
    isOptional: true,
    at: at(`${POD}/nodeSelector`, CONTROLLER, GATEWAY),
  },
  {
    path: 'tolerations',
    description: 'Of taints, for the gateway too.',
    schema: list,
    initial: [],
    isOptional: true,
    at: at(`${POD}/tolerations`, CONTROLLER, GATEWAY),
  },
  {
    path: 'priorityClassName',
    description: 'For the gateway too.',
    schema: { type: 'string' },
    initial: '',
    isOptional: true,
    at: at(`${POD}/priorityClassName`, CONTROLLER, GATEWAY),
  },
  {
    path: 'podDisruptionBudget.enabled',
    description: 'At most one replica of the controller is taken away at a time.',
    schema: flag,
    initial: true,
  },
  {
    path: 'networkPolicy.enabled',
    description:
      'Only those reach a port that need it. Without it any Pod of the cluster may: no port has a login.',
    schema: flag,
    initial: true,
  },
  {
    path: 'admin.inCluster',
    description:
      'Opens the admin API to Pods of the namespace with the label switchyard.dev/admin: "true". It has no login; `kubectl port-forward` needs none of this.',
    schema: flag,
    initial: false,
  },
  {
    path: 'gateway.enabled',
    description: 'Installs an Envoy in front of the services.',
    schema: flag,
    initial: false,
  },
  {
    path: 'gateway.replicas',
    description: 'How many.',
    schema: whole(0, 1_000),
    at: at('/spec/replicas', GATEWAY),
  },
  {
    path: 'gateway.image',
    description: 'Of Envoy; with bash, which a distroless one has not.',
    schema: text,
    at: at(`${CONTAINER}/image`, GATEWAY),
  },
  {
    path: 'gateway.pullPolicy',
    description: 'When it is pulled.',
    schema: pullPolicy,
    at: at(`${CONTAINER}/imagePullPolicy`, GATEWAY),
  },
  {
    path: 'gateway.concurrency',
    description: 'Threads of each.',
    schema: whole(1, 128),
    initial: 2,
  },
  {
    path: 'gateway.resources',
    description: 'Of each.',
    schema: resources,
    at: at(`${CONTAINER}/resources`, GATEWAY),
  },
  {
    path: 'gateway.drainSeconds',
    description: 'How long one that is stopped waits for the connections of its clients to end.',
    schema: whole(5, 86_400),
    initial: 300,
  },
  {
    path: 'gateway.service.type',
    description: 'LoadBalancer, where clients come from outside of the cluster.',
    schema: { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] },
    at: at('/spec/type', GATEWAY_SERVICE),
  },
  {
    path: 'gateway.service.port',
    description: 'Where clients connect.',
    schema: whole(1, 65_535),
    at: at('/spec/ports/0/port', GATEWAY_SERVICE),
  },
  {
    path: 'gateway.service.externalTrafficPolicy',
    description: "Local keeps the clients' addresses; for NodePort and LoadBalancer only.",
    schema: { enum: ['', 'Cluster', 'Local'] },
    initial: '',
    isOptional: true,
    at: at('/spec/externalTrafficPolicy', GATEWAY_SERVICE),
  },
  {
    path: 'gateway.service.annotations',
    description: 'For the load balancer.',
    schema: texts,
    initial: {},
    isOptional: true,
    at: at('/metadata/annotations', GATEWAY_SERVICE),
  },
  {
    path: 'monitoring.enabled',
    description: 'Installs objects of the Prometheus Operator and dashboards for Grafana.',
    schema: flag,
    initial: false,
  },
  {
    path: 'monitoring.labels',
    description:
      'By which a Prometheus finds its PodMonitors and rules, such as `release: kube-prometheus-stack`.',
    schema: texts,
    initial: {},
  },
];
