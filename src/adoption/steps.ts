/**
 * The steps of an adoption. Each looks first whether it was done, so the same command goes on from wherever an earlier one has
 * stopped; each has a way back in which the Service never leads to Pods that are not ready.
 */

import { isConflict } from '../adapters/kubernetes/client/api-error.ts';
import * as kinds from '../adapters/kubernetes/client/kinds.ts';
import { type Kind, type KubernetesObject, pathOf } from '../adapters/kubernetes/client/objects.ts';
import { VERSIONED_SERVICE } from '../adapters/kubernetes/custom-resources.ts';
import {
  ADOPT_FOR,
  ADOPTED_AS,
  isGivenTo,
  REPLICAS_BEFORE,
  selectorOf,
} from '../adapters/kubernetes/labels.ts';
import { givenBack } from '../adapters/kubernetes/runtime/adopted-service.ts';
import type { Condition } from '../custom-resources/conditions.ts';
import { CONFIRM_ANNOTATION } from '../custom-resources/objects.ts';
import type { Milliseconds } from '../model/instant.ts';
import { NamespaceWorkError } from '../namespace-work/error.ts';
import { type Place, readAll, readOne } from '../namespace-work/place.ts';
import { type Waiting, waitFor } from '../namespace-work/wait.ts';
import type { Deployment, Pod, Service } from './objects.ts';
import type { AdoptionPlan } from './plan.ts';
import { readLed, readService } from './read.ts';
import { isMatched, selectorText } from './selectors.ts';

export interface Steps extends Place, Waiting {
  /** How long the nodes may take to follow a Service, before Pods that it led to are ended. */
  readonly settle: Milliseconds;
}

/** Brings the version up beside the old Pods, and has the Service lead to it. The old Pods run on. */
export async function adopt(steps: Steps, plan: AdoptionPlan): Promise<void> {
  const { service, version, chosen } = plan;
  if (plan.existing === undefined) {
    await annotate(steps, kinds.DEPLOYMENT, chosen.deployment, { [ADOPTED_AS]: `${service}/${version}` });
    await create(steps, plan);
    steps.tell(
      `VersionedService ${service} is there: its version ${version} is made of deployment/${chosen.deployment.metadata.name}`,
    );
  }
  await waitFor(steps, () => untilReady(steps, plan));
  steps.tell(`${version} has all its Pods ready`);
  const now = await mustHave<Service>(steps, kinds.SERVICE, service);
  if (!isGivenTo(now, service)) {
    await annotate(steps, kinds.SERVICE, now, { [ADOPT_FOR]: service });
    steps.tell(`service/${service} is given to the controller`);
  }
  await waitFor(steps, () => untilLed(steps, plan, selectorText(selectorOf(service, version))));
  steps.tell(`service/${service} leads to ${version}, with the address that it had`);
}

/** Ends the old Pods. Their Deployment stays: versions are made of its template, and it is the way back. */
export async function complete(steps: Steps, plan: AdoptionPlan): Promise<void> {
  const { service, chosen } = plan;
  const { deployment } = chosen;
  const what = `deployment/${deployment.metadata.name}`;
  if (plan.stage === 'Untouched' || plan.stage === 'Wished') {
    throw new NamespaceWorkError(`service/${service} does not lead to a version yet: adopt ${what} first`);
  }
  if (plan.stage === 'Led') {
    const led = await readLed(steps, service);
    const old = (await podsOf(steps, deployment)).filter(({ metadata }) => led.has(metadata.name));
    if (old.length > 0) throw new NamespaceWorkError(`service/${service} still leads to Pods of ${what}`);
    await settle(steps);
    await merge(steps, kinds.DEPLOYMENT, deployment, {
      metadata: { annotations: { [REPLICAS_BEFORE]: String(deployment.spec.replicas ?? 1) } },
      spec: { replicas: 0 },
    });
  }
  await waitFor(steps, async () => {
    const left = await podsOf(steps, deployment);
    return left.length === 0 ? undefined : `${left.length} of the old Pods end`;
  });
  steps.tell(`${what} has no Pods any more; it stays, as the template of versions and the way back`);
}

/** Goes back to the Deployment as it was. The service of the name is gone afterwards. */
export async function undo(steps: Steps, plan: AdoptionPlan): Promise<void> {
  const { service, chosen } = plan;
  const { deployment } = chosen;
  const what = `deployment/${deployment.metadata.name}`;
  mustBeSteady(plan);
  const { annotations = {} } = deployment.metadata;
  const before = Number(annotations[REPLICAS_BEFORE] ?? deployment.spec.replicas ?? 1);
  if (deployment.spec.replicas === 0) {
    await merge(steps, kinds.DEPLOYMENT, deployment, { spec: { replicas: before } });
    steps.tell(`${what} gets its ${before} Pods again`);
  }
  await waitFor(steps, async () =>
    notReady(await mustHave<Deployment>(steps, kinds.DEPLOYMENT, deployment.metadata.name)),
  );
  const isBack = await giveBack(steps, plan);
  await waitFor(steps, () => untilLed(steps, plan, selectorText(chosen.service.spec.selector)));
  if (isBack) steps.tell(`service/${service} leads to ${what} again`);
  await settle(steps);
  await deleteService(steps, plan);
  const now = await mustHave<Deployment>(steps, kinds.DEPLOYMENT, deployment.metadata.name);
  await annotate(steps, kinds.DEPLOYMENT, now, { [ADOPTED_AS]: null, [REPLICAS_BEFORE]: null });
  steps.tell(`${what} and service/${service} are as they were before`);
}

function mustBeSteady({ existing, service, version }: AdoptionPlan): void {
  if (existing === undefined) return;
  const { conditions = [], primary, weight } = (existing.status ?? {}) as Status;
  const isMoving = conditions.some(({ type, status }) => type === 'Reconciling' && status === 'True');
  const isOpen = weight !== undefined || (isMoving && primary !== undefined);
  if (isOpen) {
    throw new NamespaceWorkError(`${service} is being rolled out: end that first`, [
      `switchyard abort ${service}, or wait until it has succeeded`,
    ]);
  }
  if (primary !== undefined && primary !== version) {
    throw new NamespaceWorkError(
      `the primary of ${service} is ${primary}, and the Deployment runs ${version}: going back to it would take ${primary} away`,
      [
        `switchyard rollback ${service} first, where ${version} is still there`,
        'or keep what serves: switchyard uninstall leaves the primary and its Service',
      ],
    );
  }
}

interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly primary?: string;
  /** Of a candidate. */
  readonly weight?: number;
}

async function create({ api, namespace }: Place, { document }: AdoptionPlan): Promise<void> {
  await api.json({
    method: 'POST',
    path: pathOf(VERSIONED_SERVICE, { namespace }),
    query: { fieldManager: 'switchyard-cli', fieldValidation: 'Strict' },
    body: document,
  });
}

async function untilReady(steps: Steps, plan: AdoptionPlan): Promise<string | undefined> {
  const { service, version, deployment } = plan;
  const object = await readService(steps, service);
  if (object === undefined) throw new NamespaceWorkError(`VersionedService ${service} was deleted meanwhile`);
  const { conditions = [], observedGeneration } = (object.status ?? {}) as Status;
  const isNew = observedGeneration === object.metadata.generation;
  const stalled = conditions.find(({ type, status }) => type === 'Stalled' && status === 'True');
  if (isNew && stalled !== undefined) {
    throw new NamespaceWorkError(`${service} stands still: ${stalled.message}`, [
      'nothing was moved: mend it, and the same command goes on; --undo goes back',
    ]);
  }
  if (!isNew) return `for the controller to look at VersionedService ${service}`;
  const made = await readOne<Deployment>(steps, kinds.DEPLOYMENT, deployment);
  if (made === undefined) return `for the Pods of ${version}`;
  const missing = notReady(made);
  if (missing !== undefined) return missing;
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' ? undefined : (ready?.message ?? `for ${version} to be primary`);
}

/** What is missing of a Deployment's Pods; undefined: all are there and ready. */
function notReady({ metadata, spec, status = {} }: Deployment): string | undefined {
  const { replicas = 1 } = spec;
  const { observedGeneration = 0, readyReplicas = 0, updatedReplicas = 0 } = status;
  if (
    observedGeneration >= (metadata.generation ?? 0) &&
    readyReplicas >= replicas &&
    updatedReplicas >= replicas
  )
    return undefined;
  return `${readyReplicas} of ${replicas} Pods of deployment/${metadata.name} are ready`;
}

/** What is missing until a Service selects so and leads to ready Pods only, all of them chosen so. */
async function untilLed(
  steps: Steps,
  { service }: AdoptionPlan,
  wanted: string,
): Promise<string | undefined> {
  const now = await mustHave<Service>(steps, kinds.SERVICE, service);
  if (selectorText(now.spec.selector) !== wanted) return `for service/${service} to be moved`;
  const led = await readLed(steps, service);
  const pods = await readAll<Pod>(steps, kinds.POD, wanted);
  const chosen = new Set(pods.map(({ metadata }) => metadata.name));
  const others = [...led.keys()].filter((pod) => !chosen.has(pod));
  if (others.length > 0) return `service/${service} still leads to ${others.length} other Pods`;
  return [...led.values()].includes(true) ? undefined : `service/${service} leads to no ready Pod yet`;
}

/** Takes the Service back from the controller, with what it selected before, in one write. False: it was not given. */
async function giveBack(steps: Steps, { service }: AdoptionPlan): Promise<boolean> {
  const { api, namespace } = steps;
  let isBack = false;
  await waitFor(steps, async () => {
    const now = await mustHave<Service>(steps, kinds.SERVICE, service);
    if (!isGivenTo(now, service)) return undefined;
    isBack = true;
    try {
      await api.replace(
        kinds.SERVICE,
        { namespace, name: service },
        givenBack(now, service) as Service,
        'switchyard-cli',
      );
      return undefined;
    } catch (error) {
      if (isConflict(error)) return `service/${service} was changed at the same time`;
      throw error;
    }
  });
  return isBack;
}

async function deleteService(steps: Steps, { service, deployment }: AdoptionPlan): Promise<void> {
  const { api, namespace } = steps;
  const object = await readService(steps, service);
  if (object !== undefined) {
    await annotate(steps, VERSIONED_SERVICE, object, { [CONFIRM_ANNOTATION]: service });
    await api.delete(VERSIONED_SERVICE, { namespace, name: service });
  }
  await waitFor(steps, async () => {
    if ((await readService(steps, service)) !== undefined) return `for VersionedService ${service} to go`;
    const left = await readOne(steps, kinds.DEPLOYMENT, deployment);
    return left === undefined ? undefined : `for deployment/${deployment} to go`;
  });
}

async function podsOf(place: Place, { spec }: Deployment): Promise<readonly Pod[]> {
  const pods = await readAll<Pod>(place, kinds.POD);
  return pods.filter(({ metadata: { labels = {} } }) => isMatched(labels, spec.selector));
}

async function settle({ clock, settle: time, tell }: Steps): Promise<void> {
  if (time === 0) return;
  tell(`waits: ${time / 1_000} s, so that all nodes follow`);
  await clock.sleep(time, new AbortController().signal);
}

async function mustHave<Item extends KubernetesObject>(
  place: Place,
  kind: Kind,
  name: string,
): Promise<Item> {
  const found = await readOne<Item>(place, kind, name);
  if (found === undefined) throw new NamespaceWorkError(`${kind.kind} ${name} was deleted meanwhile`);
  return found;
}

function annotate(
  place: Place,
  kind: Kind,
  object: KubernetesObject,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  return merge(place, kind, object, { metadata: { annotations } });
}

async function merge(
  { api, namespace }: Place,
  kind: Kind,
  { metadata }: KubernetesObject,
  body: object,
): Promise<void> {
  await api.merge(kind, { namespace, name: metadata.name }, body, 'switchyard-cli');
}
