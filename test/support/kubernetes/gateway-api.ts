/** The Gateway API at a real API server, and a gateway's controller as far as it writes the status of routes. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { findTool } from '../../../scripts/tools.ts';
import { isNotFound } from '../../../src/adapters/kubernetes/client/api-error.ts';
import { CUSTOM_RESOURCE_DEFINITION } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { HTTP_ROUTE } from '../../../src/adapters/kubernetes/gateway-api/http-route.ts';
import type { HttpRoute } from '../../../src/adapters/kubernetes/gateway-api/parents.ts';
import { eventually } from '../eventually.ts';
import { notRun } from '../not-run.ts';
import { type Definition, install } from './custom-resources.ts';
import type { TestNamespace } from './shared-cluster.ts';

const NAME = 'httproutes.gateway.networking.k8s.io';
const SCRIPT = 'scripts/kubernetes-tools/gateway-api.sh';

/** The definition of HTTPRoute as the Gateway API ships it; where it cannot be had, the running test ends as not run. */
function definition(): Definition {
  const go = findTool('go');
  try {
    const script = resolve(import.meta.dirname, '../../..', SCRIPT);
    const folder = execFileSync('bash', [script, go.kind === 'found' ? go.path : 'go'], {
      encoding: 'utf8',
    }).trim();
    return parse(
      readFileSync(join(folder, `${HTTP_ROUTE.group}_${HTTP_ROUTE.plural}.yaml`), 'utf8'),
    ) as Definition;
  } catch (error) {
    return notRun('tests with the Gateway API', `${String(error)}; run: bash ${SCRIPT}`);
  }
}

export async function installGatewayApi(place: TestNamespace): Promise<void> {
  await install(place, definition());
}

/** As in a cluster that has never heard of it. */
export async function removeGatewayApi({ api }: TestNamespace): Promise<void> {
  const isThere = async (): Promise<boolean> => {
    try {
      await api.get(CUSTOM_RESOURCE_DEFINITION, { name: NAME });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  };
  if (await isThere()) await api.delete(CUSTOM_RESOURCE_DEFINITION, { name: NAME });
  await eventually(async () => !(await isThere()));
}

/** What a gateway's controller says of a route at one of its parents. */
export interface Said {
  readonly accepted: 'True' | 'False';
  readonly resolvedRefs?: 'True' | 'False';
  readonly partiallyInvalid?: 'True';
  readonly reason?: string;
  /** Default: that of the route as it is now. */
  readonly generation?: number;
}

/** Writes the status of a route, for each of its parents, as a gateway's controller would. */
export async function answerRoute(
  { api, namespace }: TestNamespace,
  name: string,
  { accepted, resolvedRefs = 'True', partiallyInvalid, reason = 'Accepted', generation }: Said,
): Promise<void> {
  const route = await api.get<HttpRoute>(HTTP_ROUTE, { namespace, name });
  const condition = (type: string, status: string) => ({
    type,
    status,
    reason,
    message: '',
    lastTransitionTime: '2026-11-30T00:00:00Z',
    observedGeneration: generation ?? route.metadata.generation ?? 0,
  });
  const { parentRefs } = route.spec as { readonly parentRefs: readonly object[] };
  const parents = parentRefs.map((parentRef) => ({
    parentRef,
    controllerName: 'example.com/gateways',
    conditions: [
      condition('Accepted', accepted),
      condition('ResolvedRefs', resolvedRefs),
      ...(partiallyInvalid === undefined ? [] : [condition('PartiallyInvalid', partiallyInvalid)]),
    ],
  }));
  await api.replace(HTTP_ROUTE, { namespace, name, subresource: 'status' }, {
    ...route,
    status: { parents },
  } as HttpRoute);
}
