/** What a request is answered that a gateway has sent to the refusal backend. Pure. */
import { type Answer, SERVICE_HEADER, unavailable, versionNotActive } from '../model/answer.ts';
import { misspeltHeader } from '../model/rules.ts';
import type { RoutingTable, ServiceRoutes } from '../model/table.ts';

/** How soon to ask again where the routes are on their way, in seconds. */
const SOON = 1;

/** The value of a request's header, by its lower-case name. */
export type HeaderOf = (name: string) => string | undefined;

/** The answer to a request. `table` is what this replica shows; undefined: nothing yet. */
export function answerTo(table: RoutingTable | undefined, header: HeaderOf): Answer {
  const service = header(SERVICE_HEADER) ?? '';
  const routes = table?.services.find((one) => one.service === service);
  if (routes !== undefined) return answerOf(routes, header);
  const message =
    table === undefined
      ? 'this replica of the controller shows no routes yet'
      : `no service is called ${JSON.stringify(service.slice(0, 63))}`;
  return unavailable({ code: 'UNKNOWN_SERVICE', message, retryAfterSeconds: SOON });
}

function answerOf(routes: ServiceRoutes, header: HeaderOf): Answer {
  const { pin, refusal, defaultRoute } = routes;
  const named = header(pin.header);
  if (named !== undefined) {
    const isActive = refusal.activeVersions.some((version) => version === named);
    return isActive ? onItsWay() : versionNotActive(refusal, `the version in ${pin.header} is not active`);
  }
  const misspelt = misspeltHeader(pin.header);
  const lost = [misspelt ?? [], pin.markerHeader].flat().find((name) => says(routes, name, header(name)));
  if (lost !== undefined)
    return versionNotActive(refusal, `${lost} without ${pin.header}: the request names no version`);
  if (defaultRoute.kind !== 'Unavailable') return onItsWay();
  const { retryAfterSeconds } = refusal;
  return unavailable({ code: 'NO_PRIMARY', message: defaultRoute.reason, retryAfterSeconds });
}

/** A marker may say that it means nothing. */
function says({ pin }: ServiceRoutes, name: string, value: string | undefined): boolean {
  return value !== undefined && !(name === pin.markerHeader && value === 'false');
}

/** The gateway still follows the routes before: by now a version would take the request. */
function onItsWay(): Answer {
  const message = 'the gateway does not follow the newest routes yet';
  return unavailable({ code: 'ROUTES_ON_THEIR_WAY', message, retryAfterSeconds: SOON });
}
