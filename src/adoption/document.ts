/** The VersionedService that an adoption writes: what runs now, as the first version. Pure. */

import type { Json } from '../model/json.ts';
import { autoscalingOf } from './autoscaling.ts';
import type { Chosen } from './choose.ts';
import type { Autoscaler } from './objects.ts';

export interface Wish {
  readonly namespace: string;
  readonly version: string;
}

export interface ServiceDocument {
  readonly apiVersion: 'switchyard.dev/v1alpha1';
  readonly kind: 'VersionedService';
  readonly metadata: { readonly name: string };
  readonly spec: { readonly [field: string]: Json };
}

/** The port that a listener has where a spec says nothing. */
const LISTENER_PORT = 10_000;

/** It has the name of the Service, which then is the Service of its primary. */
export function documentOf(
  { deployment, service, port, hosts }: Chosen,
  autoscaler: Autoscaler | undefined,
  { namespace, version }: Wish,
): ServiceDocument {
  const { name } = service.metadata;
  const autoscaling = autoscaler && autoscalingOf(autoscaler);
  const names = [
    name,
    `${name}.${namespace}`,
    `${name}.${namespace}.svc`,
    `${name}.${namespace}.svc.cluster.local`,
  ];
  const protocol = protocolOf(port.appProtocol);
  return {
    apiVersion: 'switchyard.dev/v1alpha1',
    kind: 'VersionedService',
    metadata: { name },
    spec: {
      version,
      listeners: [
        {
          name: 'gateway',
          address: '0.0.0.0',
          port: LISTENER_PORT,
          domains: [...new Set([...names, ...hosts])],
        },
      ],
      pin: { allow: { nowhere: true } },
      runtime: {
        kubernetes: {
          deployment: {
            name: deployment.metadata.name,
            images: imagesOf(deployment.spec.template['spec'], version),
          },
          port: port.targetPort ?? port.port,
          ...(autoscaling === undefined
            ? { replicas: deployment.spec.replicas ?? 1 }
            : { autoscaling: { ...autoscaling } }),
        },
      },
      ...(protocol === undefined ? {} : { upstream: { protocol } }),
    },
  };
}

/**
 * The images of versions. Where a tag is the version, the next version has its own; where none is, the first container keeps
 * the image that it has, until somebody writes which one the next version gets.
 */
function imagesOf(pod: Json | undefined, version: string): Readonly<Record<string, string>> {
  const { containers = [] } = (pod ?? {}) as { readonly containers?: readonly Container[] };
  const versioned = containers.filter(({ image = '' }) => image.endsWith(`:${version}`));
  const [first] = containers;
  if (versioned.length === 0) return first === undefined ? {} : { [first.name]: first.image ?? '' };
  return Object.fromEntries(
    versioned.map(({ name, image = '' }) => [name, `${image.slice(0, -version.length)}\${version}`]),
  );
}

interface Container {
  readonly name: string;
  readonly image?: string;
}

function protocolOf(appProtocol: string | undefined): 'Http2' | undefined {
  return ['kubernetes.io/h2c', 'h2c', 'http2', 'grpc'].includes(appProtocol ?? '') ? 'Http2' : undefined;
}
