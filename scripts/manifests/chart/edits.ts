/** What the values of the Helm chart do to its objects: the fields that they decide, and which objects are installed at all. */
import type { Manifest } from '../../../src/install/manifest.ts';
import { CONTAINER, CONTROLLER, GATEWAY, POD, VALUES } from './values.ts';

export interface Edit {
  readonly pointer: string;
  /** Of Helm's template language. */
  readonly expression: string;
  readonly isOptional?: boolean;
}

/** `.Values.gateway.replicas` */
const named = (path: string): string => `.Values.${path}`;

export function objectName({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata.name}`;
}

/** What of an object the values decide. */
export function editsOf(manifest: Manifest): readonly Edit[] {
  const name = objectName(manifest);
  const asTheyAre = VALUES.flatMap(({ path, at: places = [], isOptional = false }) =>
    places
      .filter((place) => place.object === name)
      .map(({ pointer }) => ({
        pointer,
        isOptional,
        expression: isOptional ? named(path) : `${named(path)} | toJson`,
      })),
  );
  return [...asTheyAre, ...(MADE[name]?.(manifest) ?? []), ...madeForAll(manifest)];
}

/** Fields that are made of values and something else. */
const MADE: Readonly<Record<string, (manifest: Manifest) => readonly Edit[]>> = {
  [CONTROLLER]: (manifest) => [
    {
      pointer: `${CONTAINER}/image`,
      expression:
        'printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | toJson',
    },
    argument(manifest, '--log-level=', 'printf "--log-level=%s" .Values.logLevel'),
    argument(
      manifest,
      '--admin-address=',
      'printf "--admin-address=%s:18001" (ternary "0.0.0.0" "127.0.0.1" .Values.admin.inCluster)',
    ),
  ],
  [GATEWAY]: (manifest) => [
    // Envoy's options and their values are arguments of their own.
    argument(manifest, '--concurrency', '.Values.gateway.concurrency | toString', 1),
    environment(manifest, 'DRAIN_SECONDS', '.Values.gateway.drainSeconds | toString'),
    {
      pointer: `${POD}/terminationGracePeriodSeconds`,
      expression: 'add .Values.gateway.drainSeconds 30 | toJson',
    },
  ],
};

function madeForAll({ kind, metadata }: Manifest): readonly Edit[] {
  if (kind !== 'PodMonitor' && kind !== 'PrometheusRule') return [];
  const labels = JSON.stringify(metadata.labels);
  return [
    {
      pointer: '/metadata/labels',
      expression: `merge (fromJson \`${labels}\`) .Values.monitoring.labels | toJson`,
    },
  ];
}

interface Container {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string }[];
}

function containerOf(manifest: Manifest): Container {
  const { spec } = manifest as unknown as {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
  };
  const [container] = spec.template.spec.containers;
  if (container === undefined) throw new Error(`${objectName(manifest)} has no container`);
  return container;
}

/** The argument that begins so, or one that follows it. */
function argument(manifest: Manifest, beginning: string, expression: string, after = 0): Edit {
  const index = containerOf(manifest).args.findIndex((each) => each.startsWith(beginning));
  if (index < 0) throw new Error(`${objectName(manifest)} has no argument ${beginning}`);
  return replacing(`${CONTAINER}/args/${index + after}`, expression);
}

function environment(manifest: Manifest, variable: string, expression: string): Edit {
  const index = containerOf(manifest).env.findIndex(({ name }) => name === variable);
  if (index < 0) throw new Error(`${objectName(manifest)} has no variable ${variable}`);
  return replacing(`${CONTAINER}/env/${index}/value`, expression);
}

function replacing(pointer: string, expression: string): Edit {
  return { pointer, expression: `${expression} | toJson` };
}

/** When an object is installed; undefined: always. */
export function conditionOf(manifest: Manifest): string | undefined {
  const { kind, metadata } = manifest;
  const component = metadata.labels?.['app.kubernetes.io/component'];
  const wants = [
    ...(component === 'gateway' ? ['gateway.enabled'] : []),
    ...(component === 'monitoring' ? ['monitoring.enabled'] : []),
    ...(kind === 'NetworkPolicy' ? ['networkPolicy.enabled'] : []),
    ...(metadata.name === 'switchyard-admin' && kind === 'NetworkPolicy' ? ['admin.inCluster'] : []),
    ...(kind === 'PodDisruptionBudget' && component === 'controller' ? ['podDisruptionBudget.enabled'] : []),
  ].map(named);
  return wants.length > 1 ? `and ${wants.join(' ')}` : wants[0];
}
