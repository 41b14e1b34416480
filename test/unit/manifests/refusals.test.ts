// HTTPRoutes name the refusal backend as the manifests have it.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { REFUSALS_PORT, REFUSALS_SERVICE } from '../../../src/adapters/kubernetes/gateway-api/http-route.ts';

const BASE = 'manifests/kubernetes/base';

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
}

test('the Service and the port that routes lead to are served by every replica', () => {
  const services = parseAllDocuments(readFileSync(`${BASE}/services.yaml`, 'utf8')).map(
    (document) => document.toJS() as { metadata: { name: string }; spec: { ports: readonly object[] } },
  );
  const service = services.find(({ metadata }) => metadata.name === REFUSALS_SERVICE);
  expect(service?.spec.ports).toEqual([{ name: 'refusals', port: REFUSALS_PORT, targetPort: 'refusals' }]);
  const deployment = parse(readFileSync(`${BASE}/deployment.yaml`, 'utf8')) as {
    spec: { template: { spec: { containers: readonly Container[] } } };
  };
  const [container] = deployment.spec.template.spec.containers;
  expect(container?.args).toContain(`--refusal-address=0.0.0.0:${REFUSALS_PORT}`);
  expect(container?.ports).toContainEqual({ name: 'refusals', containerPort: REFUSALS_PORT });
});
