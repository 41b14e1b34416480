/** How the HTTPRoute of a service stands with the gateways that it is attached to. */

export interface GatewayStanding {
  /** The HTTPRoute's name. */
  readonly name: string;
  /** Every parent that the spec names. */
  readonly parents: readonly ParentStanding[];
  /** What keeps the route from being written as it is wanted, in sentences for an operator. */
  readonly problems: readonly string[];
}

/** What the controller of a parent says of the route as it is now. */
export interface ParentStanding {
  /** `Gateway infra/main, listener https` */
  readonly parent: string;
  /** Who says it; empty: nobody does. */
  readonly controller: string;
  /**
   * `Accepted`: it takes the route, and finds all that it names. That its proxies have it nobody says. `Waiting`: it has not
   * spoken of the newest route yet. `Refused`: it will not take the route, or not all of it.
   */
  readonly state: 'Accepted' | 'Waiting' | 'Refused';
  /** A word of the controller's for programs; empty while it waits. */
  readonly reason: string;
  readonly message: string;
}

/** Design rules that do not hold behind gateways of the Gateway API. */
export const RULES_OFF: readonly number[] = [1, 3, 5];

/** What is said wherever a gateway's word is shown. */
export const RULES_OFF_TEXT =
  'rules 1, 3 and 5 are off behind these gateways, and that they accept a route is no acknowledgement by their proxies';

/** What is wrong, in sentences: the problems, and the parents that will not take the route or that nobody answers for. */
export function gatewayAlerts({ name, parents, problems }: GatewayStanding): readonly string[] {
  const refusing = parents.filter(({ state, controller }) => state === 'Refused' || controller === '');
  return [
    ...problems,
    ...refusing.map(({ parent, message }) => `HTTPRoute ${name} at ${parent}: ${message}`),
  ];
}
