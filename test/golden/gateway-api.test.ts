// What is made of a service's routes for gateways of the Gateway API.
import { parse } from 'yaml';
import { httpRoute } from '../../src/adapters/kubernetes/gateway-api/http-route.ts';
import type { GatewayApiSpec } from '../../src/model/kubernetes.ts';
import { goldenCases } from '../support/golden-yaml.ts';
import { type RoutesFacts, serviceRoutes } from '../support/tables.ts';

goldenCases({
  folder: 'test/golden/gateway-api',
  stage: ({ text }) => {
    const facts = parse(text) as { readonly gatewayApi: GatewayApiSpec; readonly routes: RoutesFacts };
    const routes = serviceRoutes(facts.routes);
    const owner = {
      apiVersion: 'switchyard.dev/v1alpha1',
      kind: 'VersionedService',
      name: routes.service,
      uid: '3f1c',
    };
    const made = httpRoute(
      { namespace: 'production', owner },
      { service: routes.service, gatewayApi: facts.gatewayApi, routes, portOf: () => 8080 },
    );
    return made.kind === 'Fits' ? made.wanted.object : made;
  },
});
