/** What the controllers of gateways say of an HTTPRoute, read from its status. Pure. */
import type { ParentStanding } from '../../../model/gateway-standing.ts';
import type { GatewayApiSpec, ParentRef } from '../../../model/kubernetes.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { GATEWAY_GROUP } from './http-route.ts';

const LONGEST_MESSAGE = 1_000;

interface RouteCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

export interface HttpRoute extends KubernetesObject {
  readonly spec?: unknown;
  readonly status?: {
    readonly parents?: readonly {
      readonly parentRef: {
        readonly group?: string;
        readonly kind?: string;
        readonly name: string;
        readonly namespace?: string;
        readonly sectionName?: string;
      };
      readonly controllerName: string;
      readonly conditions?: readonly RouteCondition[];
    }[];
  };
}

/**
 * Every parent that the spec names, and what is said of the route there; of several controllers of one parent each must have
 * accepted it. `route` is undefined where it is not there, or not as it is wanted.
 */
export function parentStandings(
  { parentRefs }: GatewayApiSpec,
  route: HttpRoute | undefined,
  namespace: string,
): readonly ParentStanding[] {
  return parentRefs.flatMap((ref): readonly ParentStanding[] => {
    const parent = parentText(ref, namespace);
    const said = (route?.status?.parents ?? []).filter((one) => isOf(one.parentRef, ref, namespace));
    if (route === undefined)
      return [waiting(parent, 'the controller', 'the route is not written as it is wanted yet')];
    if (said.length === 0)
      return [
        waiting(parent, '', 'no controller has said anything of the route there: is there such a parent?'),
      ];
    const generation = route.metadata.generation ?? 0;
    return said.map(({ controllerName, conditions = [] }) => ({
      parent,
      controller: controllerName,
      ...verdictOf(conditions, generation),
    }));
  });
}

type Verdict = Pick<ParentStanding, 'state' | 'reason' | 'message'>;

/** Both must be said of this generation; what is said of an older one is no news. */
function verdictOf(conditions: readonly RouteCondition[], generation: number): Verdict {
  const current = conditions.filter(({ observedGeneration }) => observedGeneration === generation);
  const find = (type: string): RouteCondition | undefined => current.find((one) => one.type === type);
  const [accepted, resolved, partly] = ['Accepted', 'ResolvedRefs', 'PartiallyInvalid'].map(find);
  const bad = [accepted, resolved].find((one) => one !== undefined && one.status === 'False');
  const refusing = bad ?? (partly?.status === 'True' ? partly : undefined);
  if (refusing !== undefined) {
    const { type, reason = '', message = '' } = refusing;
    const said = `${type}: ${reason}${message === '' ? '' : `: ${message}`}`;
    return { state: 'Refused', reason, message: said.slice(0, LONGEST_MESSAGE) };
  }
  if (accepted?.status === 'True' && resolved?.status === 'True')
    return { state: 'Accepted', reason: accepted.reason ?? '', message: 'it has accepted the route' };
  return { state: 'Waiting', reason: '', message: 'its controller has not accepted the newest route yet' };
}

function waiting(parent: string, controller: string, message: string): ParentStanding {
  return { parent, controller, state: 'Waiting', reason: '', message };
}

function isOf(
  said: NonNullable<NonNullable<HttpRoute['status']>['parents']>[number]['parentRef'],
  { kind, name, namespace, sectionName }: ParentRef,
  own: string,
): boolean {
  return (
    (said.group ?? GATEWAY_GROUP) === (kind === 'Gateway' ? GATEWAY_GROUP : '') &&
    (said.kind ?? 'Gateway') === kind &&
    said.name === name &&
    (said.namespace ?? own) === (namespace ?? own) &&
    said.sectionName === sectionName
  );
}

function parentText({ kind, name, namespace, sectionName }: ParentRef, own: string): string {
  const section =
    sectionName === undefined
      ? ''
      : kind === 'Gateway'
        ? `, listener ${sectionName}`
        : `, port ${sectionName}`;
  return `${kind} ${namespace ?? own}/${name}${section}`;
}
