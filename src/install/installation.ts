/**
 * What `switchyard install` prints: the kustomization that somebody would write for the same wishes, put together. Pure.
 */
import { parseImage } from './image.ts';
import { type Kustomization, type ReadFile, render } from './kustomization.ts';
import type { Manifest } from './manifest.ts';

/** How an installation is to be. */
export interface Installation {
  readonly namespace: string;
  /** `production`: three replicas on different machines; `dev`: a small one. */
  readonly overlay: 'production' | 'dev';
  /** Of the controller; absent: as the overlay has it. */
  readonly replicas?: number;
  /** Of the controller; absent: the one of this release. */
  readonly image?: string;
  /** An Envoy in front of the services. */
  readonly withGateway: boolean;
  /** Objects of the Prometheus Operator, and dashboards for Grafana. */
  readonly withMonitoring: boolean;
  /** Opens the admin API to Pods of the namespace. */
  readonly adminInCluster: boolean;
  /** The custom resources belong to the whole cluster, and to all installations in it. */
  readonly crds: 'Included' | 'Only' | 'LeftOut';
  readonly createNamespace: boolean;
}

const CONTROLLER = 'switchyard-controller';

/** The image of the controller as our manifests name it, without its tag. */
const IMAGE = 'switchyard';

/** The objects, in the order in which they can be created. Throws ManifestError or PatchError. */
export function manifestsOf(wish: Installation, read: ReadFile): readonly Manifest[] {
  const crds = wish.crds === 'LeftOut' ? [] : render({ folder: '', kustomization: CRDS, read });
  if (wish.crds === 'Only') return crds;
  const namespace = wish.createNamespace ? [namespaceOf(wish.namespace)] : [];
  return [...namespace, ...crds, ...render({ folder: '', kustomization: kustomizationOf(wish), read })];
}

const CRDS: Kustomization = { resources: ['crds'] };

function kustomizationOf(wish: Installation): Kustomization {
  return {
    namespace: wish.namespace,
    resources: [
      `overlays/${wish.overlay}`,
      ...(wish.withGateway ? ['gateway'] : []),
      ...(wish.withMonitoring ? ['monitoring'] : []),
    ],
    components: wish.adminInCluster ? ['admin-in-cluster'] : [],
    images: wish.image === undefined ? [] : [imageChange(wish.image)],
    replicas: wish.replicas === undefined ? [] : [{ name: CONTROLLER, count: wish.replicas }],
  };
}

/** Without a tag it is the one of this release, elsewhere. */
function imageChange(text: string): NonNullable<Kustomization['images']>[number] {
  const { name, tag, digest } = parseImage(text);
  return {
    name: IMAGE,
    newName: name,
    ...(tag === undefined ? {} : { newTag: tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function namespaceOf(name: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'app.kubernetes.io/name': 'switchyard' } },
  };
}
