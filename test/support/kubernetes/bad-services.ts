/** Documents that the parser and the API server must both refuse, each for one rule of the spec. */

type Document = { [field: string]: unknown };

/** A small valid document, with some fields of its spec replaced; undefined takes one away. */
export function documentWith(spec: Document): object {
  return {
    apiVersion: 'switchyard.dev/v1alpha1',
    kind: 'VersionedService',
    metadata: { name: 'manager' },
    spec: {
      version: 'v1',
      listeners: [{ name: 'gateway' }],
      pin: { allow: { paths: ['/api'] } },
      tenantKey: { header: 'x-tenant-id', allow: { everywhere: true } },
      runtime: { endpoints: { versions: [{ name: 'v1', addresses: ['127.0.0.1:9001'] }] } },
      verification: { prometheus: { url: 'http://127.0.0.1:9090' } },
      ...spec,
    },
  };
}

const checked = (check: Document, more: Document = {}): Document => ({
  verification: {
    prometheus: { url: 'http://127.0.0.1:9090' },
    checks: [{ name: 'errors', ...check }],
    ...more,
  },
});
const processes = (more: Document): Document => ({
  runtime: { processes: { command: ['./manager'], ports: { from: 9000, to: 9009 }, ...more } },
});
const template = (container: Document = {}): Document => ({
  spec: { containers: [{ name: 'manager', image: 'manager:${version}', ...container }] },
});
const kubernetes = (more: Document): Document => ({
  runtime: { kubernetes: { port: 8080, template: template(), ...more } },
});
const gatewayApi = (more: Document): Document =>
  kubernetes({ gatewayApi: { parentRefs: [{ name: 'main' }], ...more } });
const wave = (name: string, groups: readonly string[]): object => ({ name, groups });

/** What both must refuse, one rule each. */
export const BAD: Readonly<Record<string, Document>> = {
  'no version': { version: undefined },
  'a version in capitals': { version: 'V1' },
  'a version of too many characters': { version: 'v'.repeat(64) },
  'an unknown field': { versoin: 'v1' },
  'no listener': { listeners: [] },
  'two listeners of one name': { listeners: [{ name: 'a' }, { name: 'a' }] },
  'a port that is none': { listeners: [{ name: 'a', port: 70_000 }] },
  'a pin that counts everywhere and somewhere': { pin: { allow: { everywhere: true, paths: ['/a'] } } },
  'a pin that counts nowhere that is said': { pin: { allow: {} } },
  'everywhere: false': { pin: { allow: { everywhere: false, paths: ['/a'] } } },
  'the marker in the pin': { pin: { allow: { paths: ['/a'] }, header: 'x-a', markerHeader: 'x-a' } },
  'the tenant in the pin': { tenantKey: { header: 'x-delegate-version', allow: { everywhere: true } } },
  'a word that is none': { pin: { allow: { paths: ['/a'] }, onUnknown: 'Perhaps' } },
  'no runtime in the runtime': { runtime: {} },
  'two runtimes': {
    runtime: { endpoints: { file: 'a' }, processes: { command: ['a'], ports: { from: 1, to: 9 } } },
  },
  'endpoints without any': { runtime: { endpoints: {} } },
  'a version that is not listed': { version: 'v2' },
  'an address twice': {
    runtime: { endpoints: { versions: [{ name: 'v1', addresses: ['1.1.1.1:1', '1.1.1.1:1'] }] } },
  },
  'ports in the wrong order': processes({ ports: { from: 9009, to: 9000 } }),
  'fewer ports than instances': processes({ instances: 11 }),
  'a longest wait below the first': processes({ restartBackoff: { initial: '10s', max: '5s' } }),
  'a longest wait below the default of the first': processes({ restartBackoff: { max: '500ms' } }),
  'a duration without a unit': processes({ stopGrace: '10' }),
  'a duration that is too long': processes({ stopGrace: '25h' }),
  'a duration that is a number': processes({ stopGrace: 10 }),
  'a reserved environment variable': processes({ environment: { SWITCHYARD_A: 'b' } }),
  'Pods of nothing': kubernetes({ template: undefined }),
  'Pods of two things': kubernetes({ deployment: { name: 'a', images: { a: 'b' } } }),
  'Pods without containers': kubernetes({ template: { spec: { containers: [] } } }),
  'a Pod template without a spec': kubernetes({ template: { metadata: {} } }),
  'a Pod template with something else': kubernetes({ template: { ...template(), metdata: {} } }),
  'a container without a name': kubernetes({ template: template({ name: undefined }) }),
  'a Pod template that is text': kubernetes({ template: 'a' }),
  'no port of the Pods': kubernetes({ port: undefined }),
  'a port of Pods that is none': kubernetes({ port: 70_000 }),
  'a port of Pods that is a number in quotes': kubernetes({ port: '8080' }),
  'a port of Pods with a name that is none': kubernetes({ port: 'Http' }),
  'no Pods': kubernetes({ replicas: 0 }),
  'more of the Pods than there are': kubernetes({ maxUnavailable: '101%' }),
  'a part of the Pods without a sign': kubernetes({ maxUnavailable: '50' }),
  'most Pods below the fewest': kubernetes({ autoscaling: { min: 3, max: 2 } }),
  'most Pods below the fewest of the default': kubernetes({ autoscaling: { max: 1 } }),
  'a primary Service that begins with a digit': kubernetes({ primaryService: '1a' }),
  'a parent without a name': gatewayApi({ parentRefs: [{}] }),
  'no parents': gatewayApi({ parentRefs: [] }),
  'a parent twice': gatewayApi({ parentRefs: [{ name: 'a' }, { name: 'a', kind: 'Gateway' }] }),
  'a parent with and without a section': gatewayApi({
    parentRefs: [{ name: 'a' }, { name: 'a', sectionName: 'b' }],
  }),
  'an address as a host of gateways': gatewayApi({ hostnames: ['10.0.0.1'] }),
  'a host of gateways twice': gatewayApi({ hostnames: ['a.example.com', 'a.example.com'] }),
  'pins on some hosts of a route': {
    ...gatewayApi({ hostnames: ['a.example.com', 'b.example.com'] }),
    pin: { allow: { hosts: ['a.example.com'] } },
  },
  'pins on hosts of a route that has all hosts': {
    ...gatewayApi({}),
    pin: { allow: { paths: ['/a'] }, previewAllow: { hosts: ['a.example.com'] } },
  },
  'tenants on a host that a wildcard covers': {
    ...gatewayApi({ hostnames: ['*.example.com'] }),
    tenantKey: { header: 'x-tenant-id', allow: { hosts: ['a.example.com'] } },
  },
  'a Deployment without other images': kubernetes({
    template: undefined,
    deployment: { name: 'a', images: {} },
  }),
  'an image of a container that is none': kubernetes({
    template: undefined,
    deployment: { name: 'a', images: { A: 'b' } },
  }),
  'health checks by gRPC over HTTP/1': { upstream: { healthCheck: { grpc: {} } } },
  'steps that fall': { traffic: { steps: [50, 10, 100] } },
  'a step twice': { traffic: { steps: [50, 50, 100] } },
  'steps without a flip': { traffic: { steps: [10, 50] } },
  'an approval that is no step': { traffic: { steps: [50, 100], approvals: [60] } },
  'an approval that is no step of the default': { traffic: { approvals: [60] } },
  'an empty cohort': { traffic: { cohort: {} } },
  'a header of a cohort twice': {
    traffic: {
      cohort: {
        headers: [
          { name: 'x-a', value: 'b' },
          { name: 'x-a', value: 'b' },
        ],
      },
    },
  },
  'a cohort by the header of the pin': {
    traffic: { cohort: { headers: [{ name: 'x-delegate-version', value: 'b' }] } },
  },
  'a cohort of tenants without tenants': {
    tenantKey: undefined,
    delegates: { none: {} },
    traffic: { cohort: { tenants: ['a'] } },
  },
  'a mirror of nothing': { traffic: { mirror: { percent: 10, methods: [] } } },
  'fewer versions than are kept': { retention: { keep: 4 } },
  'waves without delegates': { delegates: { none: {}, waves: [wave('a', [])] } },
  'a wave of the rest before the last': { delegates: { grpc: {}, waves: [wave('a', []), wave('b', ['x'])] } },
  'tenants that cannot be held back': { tenantKey: undefined, delegates: { grpc: {} } },
  'delegates by PromQL without a Prometheus': {
    verification: undefined,
    delegates: { promql: { query: 'up' } },
  },
  'a drain by PromQL without a Prometheus': { verification: undefined, drain: { promql: { query: 'up' } } },
  'checks without a Prometheus': {
    verification: { checks: [{ name: 'a', builtin: { metric: 'SuccessRate' }, limit: { min: 99 } }] },
  },
  'a marginal score above the passing one': { verification: { passScore: 50, marginalScore: 60 } },
  'a check of nothing': checked({ limit: { min: 1 } }),
  'a check of two things': checked({
    builtin: { metric: 'SuccessRate' },
    query: { promql: 'up' },
    limit: { min: 1 },
  }),
  'a check without a condition': checked({ builtin: { metric: 'SuccessRate' } }),
  'a probe with a limit': checked({ http: { path: '/a' }, limit: { min: 1 } }),
  'a comparison whose bad side is not known': checked({ query: { promql: 'up' }, compare: {} }),
  'a limit of nothing': checked({ query: { promql: 'up' }, limit: {} }),
  'a limit in the wrong order': checked({ query: { promql: 'up' }, limit: { min: 2, max: 1 } }),
  'statuses in the wrong order': checked({ http: { path: '/a', statuses: { from: 300, to: 200 } } }),
  'a probe that names the pin': checked({ http: { path: '/a', headers: { 'x-delegate-version': 'v1' } } }),
  'a quantile beyond one': checked({ histogram: { buckets: 'a', quantile: 1.5 }, limit: { max: 1 } }),
};
