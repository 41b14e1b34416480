/** The status of a VersionedService object, of what operators see of the service. */
import { rolloutName } from '../adapters/kubernetes/names.ts';
import {
  type GatewayStanding,
  type ParentStanding,
  RULES_OFF,
  RULES_OFF_TEXT,
} from '../model/gateway-standing.ts';
import type { Instant } from '../model/instant.ts';
import type { RolloutRecord } from '../model/rollout.ts';
import { isOpen, stepName } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { ServiceView, VersionView } from '../operations/types.ts';
import { type Condition, conditionsOf, openStanding, type Said, type Standing, timed } from './conditions.ts';

/** The fields of the custom resource; its schema describes them. */
export interface ServiceStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly primary?: string;
  readonly previous?: string;
  readonly candidate?: string;
  readonly weight?: number;
  readonly rollout?: string;
  readonly phase?: string;
  readonly since?: string;
  readonly publication: number;
  readonly versions: readonly {
    readonly name: string;
    readonly state: string;
    readonly reason: string;
    readonly instances: number;
    readonly ready: number;
  }[];
  readonly gatewayRoutes?: {
    readonly name: string;
    readonly rulesOff: readonly number[];
    readonly parents: readonly {
      readonly parent: string;
      readonly controller: string;
      readonly state: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
}

/** Why the spec of this generation is not the one that is followed. */
export interface Refused {
  readonly generation: number;
  readonly message: string;
}

export interface StatusFacts {
  readonly view: ServiceView;
  /** The generation of the spec that was applied. */
  readonly generation: number;
  /** A newer spec that was refused; absent: there is none. */
  readonly refused?: Refused;
  /** That first showed its routes as they are: of all numbers the one that stays where only others change. */
  readonly publication: number;
  readonly now: Instant;
  /** The conditions that the object has. */
  readonly before: readonly Condition[];
}

export function serviceStatus(facts: StatusFacts): ServiceStatus {
  const { view, refused, publication, now, before } = facts;
  const { record, versions, gateways } = view;
  const { traffic, rollout } = record;
  const generation = refused?.generation ?? facts.generation;
  const said = [
    ...conditionsOf(standingOf(view, refused)),
    primaryServing(view),
    ...(gateways === undefined ? [] : [gatewayRoutesAccepted(gateways)]),
  ];
  return {
    observedGeneration: generation,
    conditions: timed(said, { generation, now, before }),
    ...(traffic.kind === 'none' ? {} : { primary: traffic.primary }),
    ...(traffic.kind === 'none' || traffic.previous === undefined ? {} : { previous: traffic.previous }),
    ...(traffic.kind === 'shifting' ? { candidate: traffic.candidate, weight: traffic.weight } : {}),
    ...(rollout === undefined ? {} : rolloutFields(rollout)),
    publication,
    versions: versions.filter(({ record: { state } }) => state !== 'Retired').map(versionFields),
    ...(gateways === undefined
      ? {}
      : {
          gatewayRoutes: {
            name: gateways.name,
            rulesOff: RULES_OFF,
            parents: gateways.parents.map((parent) => ({ ...parent })),
          },
        }),
  };
}

/** The status of an object of which nothing is recorded, by the way that it stands. */
export function unrecordedStatus(
  standing: Standing,
  generation: number,
  about: { readonly now: Instant; readonly before: readonly Condition[] },
): Pick<ServiceStatus, 'observedGeneration' | 'conditions'> {
  const said = conditionsOf(standing);
  return { observedGeneration: generation, conditions: timed(said, { generation, ...about }) };
}

function standingOf({ record, versions, alerts }: ServiceView, refused: Refused | undefined): Standing {
  if (refused !== undefined)
    return {
      kind: 'Stalled',
      reason: 'InvalidSpec',
      message: `${refused.message}. The spec before it is still followed`,
    };
  const { rollout, traffic, spec } = record;
  if (rollout !== undefined && isOpen(rollout.state)) return openStanding(rollout);
  if (traffic.kind === 'none')
    return { kind: 'Moving', reason: 'NoPrimary', message: 'no version has been ready yet' };
  if (traffic.primary !== spec.version) return strayStanding(record, traffic.primary);
  const isServing = versions.some(
    ({ record: { name }, readyEndpoints }) => name === traffic.primary && readyEndpoints > 0,
  );
  return isServing
    ? { kind: 'Ready', reason: 'PrimaryServes', message: `${traffic.primary} is primary and serves` }
    : { kind: 'Unwell', reason: 'NoReadyEndpoint', message: alerts[0] ?? `${traffic.primary} is not ready` };
}

/** The wanted version is not the primary, and nothing brings it there. */
function strayStanding({ rollout, spec }: ServiceRecord, primary: string): Standing {
  const isOfIt = rollout?.version === spec.version;
  return {
    kind: 'Stalled',
    reason: isOfIt ? rollout.state : 'OtherPrimary',
    message: isOfIt
      ? `${spec.version} is not primary: ${rollout.because}; ${primary} serves`
      : `${spec.version} is wanted, and ${primary} is primary: it was moved by hand`,
  };
}

function primaryServing({ record: { traffic }, versions }: ServiceView): Said {
  const type = 'PrimaryServing';
  if (traffic.kind === 'none')
    return { type, status: 'False', reason: 'NoPrimary', message: 'no version has been ready yet' };
  const ready = versions.find(({ record }) => record.name === traffic.primary)?.readyEndpoints ?? 0;
  return ready > 0
    ? { type, status: 'True', reason: 'ReadyEndpoints', message: `${traffic.primary} has ${ready} ready` }
    : {
        type,
        status: 'False',
        reason: 'NoReadyEndpoint',
        message: `${traffic.primary} has no ready endpoint: default traffic gets 503`,
      };
}

/** Whether every parent of the HTTPRoute takes it as it is now, and what that does not mean. */
function gatewayRoutesAccepted({ name, parents, problems }: GatewayStanding): Said {
  const type = 'GatewayRoutesAccepted';
  const about = (text: string): string => `HTTPRoute ${name}: ${text}; ${RULES_OFF_TEXT}`;
  const [problem] = problems;
  if (problem !== undefined)
    return { type, status: 'False', reason: 'NotWritten', message: `${problem}; ${RULES_OFF_TEXT}` };
  const texts = (state: ParentStanding['state']): string =>
    parents
      .filter((one) => one.state === state)
      .map(({ parent, message }) => `${parent}: ${message}`)
      .join('; ');
  if (parents.some(({ state }) => state === 'Refused'))
    return { type, status: 'False', reason: 'Refused', message: about(texts('Refused')) };
  if (parents.some(({ state }) => state === 'Waiting'))
    return { type, status: 'Unknown', reason: 'Waiting', message: about(texts('Waiting')) };
  const all = parents.map(({ parent }) => parent).join(', ');
  return { type, status: 'True', reason: 'Accepted', message: about(`accepted by ${all}`) };
}

function rolloutFields(rollout: RolloutRecord): Partial<ServiceStatus> {
  const { state, step, since } = rollout;
  return {
    rollout: rolloutName(rollout),
    phase: isOpen(state) ? `${state} at ${stepName(step)}` : state,
    since: new Date(since).toISOString(),
  };
}

function versionFields({
  record,
  instances,
  readyEndpoints,
}: VersionView): ServiceStatus['versions'][number] {
  const { name, state, reason } = record;
  return { name, state, reason, instances: instances.length, ready: readyEndpoints };
}
