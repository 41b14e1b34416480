/**
 * The steps of an uninstallation, in the order in which nothing is lost: the controller stops, so that nobody writes any more;
 * what serves is let go of; then the services go, and with them all that they still own. Each may be done again.
 */

import { isNotFound } from '../adapters/kubernetes/client/api-error.ts';
import * as kinds from '../adapters/kubernetes/client/kinds.ts';
import type { Kind, KubernetesObject } from '../adapters/kubernetes/client/objects.ts';
import {
  CONTROLLER_STATE,
  ROLLOUT,
  SERVICE_ROUTING,
  VERSIONED_SERVICE,
} from '../adapters/kubernetes/custom-resources.ts';
import { ADOPT_FOR, REPLICAS_BEFORE } from '../adapters/kubernetes/labels.ts';
import { FINALIZER, type ServiceObject } from '../custom-resources/objects.ts';
import { NamespaceWorkError } from '../namespace-work/error.ts';
import { type Place, readAll, readOne } from '../namespace-work/place.ts';
import { type Waiting, waitFor } from '../namespace-work/wait.ts';
import { type InstalledObject, remove } from './installation.ts';
import type { Installed, ServicePlan } from './plan.ts';

export interface Steps extends Place, Waiting {}

const CONTROLLER = 'switchyard-controller';

const MADE: readonly Kind[] = [
  kinds.DEPLOYMENT,
  kinds.AUTOSCALER,
  kinds.DISRUPTION_BUDGET,
  kinds.CONFIG_MAP,
  kinds.SECRET,
  kinds.CONTROLLER_REVISION,
];

/** What there is of services and their versions. */
export async function readInstalled(place: Place): Promise<Installed> {
  const [services, routings, kubernetesServices, ...made] = await Promise.all([
    readAll<ServiceObject>(place, VERSIONED_SERVICE),
    readAll<never>(place, SERVICE_ROUTING),
    readAll<KubernetesObject>(place, kinds.SERVICE),
    ...MADE.map((kind) => readAll(place, kind, 'switchyard.dev/service')),
  ]);
  return { services, routings, kubernetesServices, made: made.flat() };
}

interface Controller extends KubernetesObject {
  readonly spec: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number };
}

/** Stops the replicas and waits until nobody leads. Resolves with the way to start them again. */
export async function stopController(steps: Steps): Promise<() => Promise<void>> {
  const found = await readOne<Controller>(steps, kinds.DEPLOYMENT, CONTROLLER);
  const { replicas = 1 } = found?.spec ?? {};
  const before = Number(found?.metadata.annotations?.[REPLICAS_BEFORE] ?? replicas);
  const scale = async (count: number): Promise<void> => {
    if (found === undefined) return;
    const annotations = { [REPLICAS_BEFORE]: count === 0 ? String(before) : null };
    await merge(steps, kinds.DEPLOYMENT, found, { metadata: { annotations }, spec: { replicas: count } });
  };
  const leaderOf = leaderWatch(steps);
  await scale(0);
  try {
    await waitFor(steps, async () => {
      const now = await readOne<Controller>(steps, kinds.DEPLOYMENT, CONTROLLER);
      const left = now?.status?.replicas ?? 0;
      if (left > 0) return `for ${left} replicas of the controller to stop`;
      const leader = await leaderOf();
      return leader === undefined ? undefined : `for ${leader} to lead no more`;
    });
  } catch (error) {
    await scale(before);
    throw new NamespaceWorkError('a controller still leads, and would make again what is taken away', [
      (error as Error).message,
      'stop the one that runs outside of deployment/switchyard-controller, and repeat this',
    ]);
  }
  steps.tell('the controller has stopped; Pods and proxies go on as they are');
  return () => scale(before);
}

interface Lease extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
  };
}

/**
 * Who leads, looked at again and again; undefined: nobody. One that was killed holds the Lease until it has not been renewed
 * for as long as it lasts, on our clock.
 */
function leaderWatch(steps: Steps): () => Promise<string | undefined> {
  let seen = { renewal: '', since: 0 };
  return async () => {
    const lease = await readOne<Lease>(steps, kinds.LEASE, CONTROLLER);
    const { holderIdentity = '', renewTime = '', leaseDurationSeconds = 15 } = lease?.spec ?? {};
    if (holderIdentity === '') return undefined;
    const renewal = `${holderIdentity} ${renewTime}`;
    if (renewal !== seen.renewal) seen = { renewal, since: steps.clock.now() };
    return steps.clock.now() - seen.since > leaseDurationSeconds * 1_000 ? undefined : holderIdentity;
  };
}

/** Lets go of what serves: nobody owns it, and an installation that comes later does not take it for its own. */
export async function letGo(steps: Steps, { service, stays, object }: ServicePlan): Promise<void> {
  for (const one of stays) {
    const kind = [...MADE, kinds.SERVICE].find(({ kind: name }) => name === one.kind);
    if (kind === undefined) throw new TypeError(`${one.kind} is nothing that stays`);
    const ownerReferences = (one.metadata.ownerReferences ?? []).filter(
      ({ uid }) => uid !== object.metadata.uid,
    );
    const isMade = one.metadata.labels?.['app.kubernetes.io/managed-by'] === 'switchyard';
    await merge(steps, kind, one, {
      metadata: {
        ownerReferences: ownerReferences.length === 0 ? null : ownerReferences,
        ...(isMade ? { labels: { 'app.kubernetes.io/managed-by': null } } : {}),
        // The same service may lead it again, where it is installed again.
        ...(kind === kinds.SERVICE ? { annotations: { [ADOPT_FOR]: service } } : {}),
      },
    });
  }
  if (stays.length > 0) steps.tell(`${service}: ${stays.map(nameOf).join(', ')} stay, and belong to nobody`);
}

/** Deletes the service with all that it still owns. */
export async function removeService(steps: Steps, { service, object, stays }: ServicePlan): Promise<void> {
  const { finalizers = [] } = object.metadata;
  if (finalizers.includes(FINALIZER)) {
    const rest = finalizers.filter((one) => one !== FINALIZER);
    await merge(steps, VERSIONED_SERVICE, object, {
      metadata: { finalizers: rest.length === 0 ? null : rest },
    });
  }
  await remove(steps, { kind: VERSIONED_SERVICE, object });
  const kept = new Set(stays.map(nameOf));
  await waitFor(steps, async () => {
    const made = await readAll(steps, kinds.DEPLOYMENT, `switchyard.dev/service=${service}`);
    const left = made.filter((one) => !kept.has(nameOf(one)));
    return left.length === 0 ? undefined : `for ${left.map(nameOf).join(', ')} to go`;
  });
  steps.tell(`${service} is gone`);
}

/** Deletes what is recorded, and then what was installed. */
export async function removeRest(steps: Steps, installation: readonly InstalledObject[]): Promise<void> {
  for (const kind of [SERVICE_ROUTING, CONTROLLER_STATE, ROLLOUT]) {
    for (const object of await readAll(steps, kind)) await remove(steps, { kind, object });
  }
  const lease = await readOne(steps, kinds.LEASE, CONTROLLER);
  if (lease !== undefined) await remove(steps, { kind: kinds.LEASE, object: lease });
  for (const one of installation) await remove(steps, one);
  steps.tell(`what was recorded is gone, and ${installation.length} objects of the installation`);
}

export function nameOf({ kind, metadata }: KubernetesObject): string {
  return `${kind.toLowerCase()}/${metadata.name}`;
}

async function merge(
  { api, namespace }: Place,
  kind: Kind,
  { metadata }: KubernetesObject,
  body: object,
): Promise<void> {
  try {
    await api.merge(kind, { namespace, name: metadata.name }, body, 'switchyard-cli');
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
