/** Where an adoption stands, and what it does next: everything is read, nothing is changed. */

import { SERVICE } from '../adapters/kubernetes/client/kinds.ts';
import { ADOPTED_AS, isGivenTo, isOurs, serviceOf, versionIn } from '../adapters/kubernetes/labels.ts';
import { objectName } from '../adapters/kubernetes/names.ts';
import type { ServiceObject } from '../custom-resources/objects.ts';
import { isName, NAME_RULE, type ServiceName, type VersionName } from '../model/names.ts';
import { NamespaceWorkError } from '../namespace-work/error.ts';
import { type Place, readOne } from '../namespace-work/place.ts';
import { type Chosen, choose, type Target } from './choose.ts';
import { documentOf, type ServiceDocument } from './document.ts';
import type { Finding } from './finding.ts';
import { findingsOf } from './findings.ts';
import type { Service } from './objects.ts';
import { readService, readSurroundings } from './read.ts';

export interface Asked {
  readonly target: Target;
  /** Absent: the one that it was adopted as. */
  readonly version?: string;
  /** Of the Service: its number or its name. */
  readonly port?: string;
}

/** How far it has come. */
export type Stage =
  /** Nothing was done. */
  | 'Untouched'
  /** The VersionedService is there. */
  | 'Wished'
  /** The Service leads to the primary, and the old Pods still run. */
  | 'Led'
  /** The old Pods are gone. */
  | 'Completed';

export interface AdoptionPlan {
  readonly service: ServiceName;
  readonly version: VersionName;
  /** As they are now; the Service as it was before. */
  readonly chosen: Chosen;
  readonly stage: Stage;
  /** The object that is there; absent: there is none. */
  readonly existing?: ServiceObject;
  readonly document: ServiceDocument;
  /** What may lose requests; of a Service that is led already there is nothing to find. */
  readonly findings: readonly Finding[];
  /** The Deployment of the version. */
  readonly deployment: string;
}

/** Throws NamespaceWorkError where it cannot be made, or is not clear. */
export async function planAdoption(
  place: Place,
  { target, version: wanted, port }: Asked,
): Promise<AdoptionPlan> {
  const around = await readSurroundings(place, target);
  const chosen = choose(target, around, port);
  const name = chosen.service.metadata.name;
  const version = versionOf(chosen, wanted);
  if (!isName(name))
    throw new NamespaceWorkError(`a service cannot be named as service/${name}: ${NAME_RULE}`);
  const service = name as ServiceName;
  if (isOurs(chosen.deployment) || serviceOf(chosen.deployment) !== undefined) {
    throw new NamespaceWorkError(
      `deployment/${chosen.deployment.metadata.name} was made by Switchyard: apply its VersionedService again instead`,
    );
  }
  const existing = await readService(place, name);
  const [now, document] = [
    await readOne<Service>(place, SERVICE, name),
    documentOf(chosen, autoscalerOf(chosen, around.autoscalers), { namespace: place.namespace, version }),
  ];
  mustBeOfThis(existing, chosen);
  const isLed = now !== undefined && isGivenTo(now, service) && versionIn(now.spec.selector) !== undefined;
  const stage = stageOf({ chosen, hasObject: existing !== undefined, isLed });
  return {
    service,
    version,
    chosen,
    stage,
    ...(existing === undefined ? {} : { existing }),
    document,
    findings:
      stage === 'Untouched' || stage === 'Wished' ? findingsOf(chosen, around, { service, version }) : [],
    deployment: objectName(service, version),
  };
}

function stageOf(facts: {
  readonly chosen: Chosen;
  readonly hasObject: boolean;
  readonly isLed: boolean;
}): Stage {
  if (!facts.hasObject) return 'Untouched';
  if (!facts.isLed) return 'Wished';
  return facts.chosen.deployment.spec.replicas === 0 ? 'Completed' : 'Led';
}

/** The version that is asked for; where it was adopted already, that one and no other. */
function versionOf({ deployment }: Chosen, wanted: string | undefined): VersionName {
  const [, adopted] = deployment.metadata.annotations?.[ADOPTED_AS]?.split('/') ?? [];
  const version = wanted ?? adopted;
  const what = `deployment/${deployment.metadata.name}`;
  if (version === undefined) {
    throw new NamespaceWorkError(`say which version ${what} is, as in adopt ${what} v1`);
  }
  if (adopted !== undefined && adopted !== version) {
    throw new NamespaceWorkError(`${what} is being adopted as ${adopted}, not ${version}`, [
      `go on with adopt ${what} ${adopted}, or take that back with --undo`,
    ]);
  }
  if (!isName(version))
    throw new NamespaceWorkError(`${JSON.stringify(version)} is no version: ${NAME_RULE}`);
  return version as VersionName;
}

function autoscalerOf<
  Item extends {
    readonly spec: { readonly scaleTargetRef: { readonly kind: string; readonly name: string } };
  },
>({ deployment }: Chosen, autoscalers: readonly Item[]): Item | undefined {
  return autoscalers.find(
    ({ spec: { scaleTargetRef: target } }) =>
      target.kind === 'Deployment' && target.name === deployment.metadata.name,
  );
}

/** A VersionedService of the name that is made of something else is somebody else's work. */
function mustBeOfThis(existing: ServiceObject | undefined, { deployment }: Chosen): void {
  if (existing === undefined) return;
  const { runtime } = existing.spec as {
    readonly runtime?: { readonly kubernetes?: { readonly deployment?: { readonly name?: string } } };
  };
  const of = runtime?.kubernetes?.deployment?.name;
  if (of === deployment.metadata.name) return;
  throw new NamespaceWorkError(
    `there is a VersionedService ${existing.metadata.name} already, and it is not made of deployment/${deployment.metadata.name}`,
    [
      of === undefined
        ? 'its versions have a template of their own'
        : `its versions are made of deployment/${of}`,
    ],
  );
}
