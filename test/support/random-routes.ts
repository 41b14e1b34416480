/**
 * Random routing tables and random requests to them. Names and values come from small pools that overlap, so that requests
 * often hit a rule, and miss it by a letter.
 */
import fc from 'fast-check';
import type { Scope, SocketAddress } from '../../src/model/spec.ts';
import type { RoutingTable, ServiceRoutes } from '../../src/model/table.ts';
import { EVERYWHERE, NOWHERE, type RoutesFacts, scoped, serviceRoutes, table } from './tables.ts';

/** Versions that random services have; `v10` and `1.8` are prefixes of nothing but look like others. */
export const VERSIONS = ['v1', 'v2', 'v10', '1.8.3'];

const PIN_HEADERS = ['x-delegate-version', 'x-pin'];
const TENANTS = ['acme', 'globex', 'a', 'A', 'tenant with spaces', 'a,b', 'hooli'];
const PATHS = ['/api', '/api/v1', '/t/', '/'];
const PLAIN_PATHS = '/ /api /api/ /api/x /apix /api?x=1 /api/v1/y /t /t/ /t/x /?/api/x'
  .concat(' /pipeline.v1.Tasks/Lease /pipeline.v1.Task/Lease /pipeline.v1.Tasks')
  .split(' ');
const ODD_PIECES = '/ // /. /.. /api /%61pi /%2e%2E /t \\t /x %2F /.x /a%2 /%00 /x|y /..x'.split(' ');
const GRPC_SERVICES = ['pipeline.v1.Tasks', 'pipeline.v1.Task'];

const TARGETS = ['Unavailable', 'Split', 'Single', 'Split'] as const;
const METHODS = ['GET', 'POST', 'DELETE'];
const GRPC_METHODS = ['/pipeline.v1.Tasks/Lease', '/pipeline.v1.Task/Lease'];
const COHORT_HEADERS = ['x-beta', 'x-team'];
const COHORT_VALUES = ['1', 'red', 'a,b'];

/** A request as a client writes it. */
export interface RandomRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** A table of `count` services on one listener with port 0, each with domains of its own, with these endpoints. */
export function randomTable(
  count: number,
  endpoints: ReadonlyMap<string, SocketAddress | undefined>,
): fc.Arbitrary<RoutingTable> {
  // In turn, so that a table of four services or more has each kind of target.
  return fc.nat({ max: TARGETS.length - 1 }).chain((first) => {
    const services = Array.from({ length: count }, (_, index) =>
      randomService(`s${index}`, endpoints, TARGETS[(first + index) % TARGETS.length] ?? 'Single'),
    );
    return fc.tuple(...services).map((all) => table(...all));
  });
}

function randomService(
  service: string,
  endpoints: ReadonlyMap<string, SocketAddress | undefined>,
  target: (typeof TARGETS)[number],
): fc.Arbitrary<ServiceRoutes> {
  const domains = [`${service}.test`, `*.${service}.test`, `${service}.*`];
  return fc
    .record({
      header: fc.constantFrom(...PIN_HEADERS),
      allow: randomScope(service),
      previewAllow: randomScope(service),
      tenantAllow: fc.option(randomScope(service), { nil: undefined }),
      onUnknown: fc.constantFrom('Refuse' as const, 'Refuse' as const, 'Primary' as const),
      versions: fc.dictionary(
        fc.constantFrom(...VERSIONS),
        fc.record({
          access: fc.constantFrom('Open' as const, 'Open' as const, 'Preview' as const, 'Refused' as const),
          ready: fc.boolean(),
        }),
        { minKeys: 2 },
      ),
      holds: fc.dictionary(fc.constantFrom(...TENANTS), fc.nat()),
      cohort: fc.option(randomCohort(), { nil: undefined }),
      mirror: fc.option(randomMirror(), { nil: undefined }),
      weight: fc.integer({ min: 1, max: 99 }),
      salt: fc.string({ minLength: 1, maxLength: 8 }),
    })
    .map((random) => {
      const names = Object.keys(random.versions);
      const name = (index: number): string => names[index % names.length] ?? 'v1';
      const facts: RoutesFacts = {
        service,
        listeners: [{ port: 0, domains }],
        pin: {
          header: random.header,
          markerHeader: `${random.header}-on`,
          allow: random.allow,
          previewAllow: random.previewAllow,
          onUnknown: random.onUnknown,
        },
        tenantKey: random.tenantAllow === undefined ? undefined : { allow: random.tenantAllow },
        versions: Object.fromEntries(
          Object.entries(random.versions).map(([version, { access, ready }]) => {
            const address = ready ? endpoints.get(version) : undefined;
            return [version, { access, endpoints: address === undefined ? [] : [address] }];
          }),
        ),
        holds: Object.fromEntries(
          Object.entries(random.holds).map(([tenant, index]) => [tenant, name(index)]),
        ),
        defaultRoute: targetOf(target, name, random),
        ...(random.cohort && { cohort: { ...random.cohort, version: name(1) } }),
        ...(random.mirror && { mirror: { ...random.mirror, version: name(1) } }),
      };
      return serviceRoutes(facts);
    });
}

function randomCohort() {
  return fc.record({
    tenants: fc.subarray(TENANTS),
    headers: fc.uniqueArray(
      fc.record({ name: fc.constantFrom(...COHORT_HEADERS), value: fc.constantFrom(...COHORT_VALUES) }),
      { maxLength: 3, selector: ({ name, value }) => `${name} ${value}` },
    ),
  });
}

/** All or half of the requests: with all, each single one can be foretold. */
function randomMirror() {
  return fc.record({
    percent: fc.constantFrom(50, 100, 100),
    methods: fc.subarray(METHODS),
    grpcMethods: fc.subarray(GRPC_METHODS),
  });
}

function targetOf(
  kind: (typeof TARGETS)[number],
  name: (index: number) => string,
  { weight, salt }: { weight: number; salt: string },
): NonNullable<RoutesFacts['defaultRoute']> {
  switch (kind) {
    case 'Unavailable':
      return { kind, reason: 'no version has been ready yet' };
    case 'Single':
      return { kind, version: name(0) };
    case 'Split':
      return { kind, primary: name(0), candidate: name(1), weight, salt };
  }
}

function randomScope(service: string): fc.Arbitrary<Scope> {
  const parts = fc.record({
    hosts: fc.subarray([`in.${service}.test`, `${service}.test`]),
    paths: fc.subarray(PATHS.slice(0, 3)),
    grpcServices: fc.subarray(GRPC_SERVICES.slice(0, 1)),
  });
  return fc.oneof(fc.constant(EVERYWHERE), fc.constant(NOWHERE), parts.map(scoped), parts.map(scoped));
}

/** A request to one of the services, or to a host that nobody has. */
export function randomRequest({ services }: RoutingTable): fc.Arbitrary<RandomRequest> {
  const service = fc.constantFrom(...services.map(({ service: name }) => name));
  return fc.record({
    method: fc.constantFrom('GET', 'GET', ...METHODS),
    host: service.chain((name) =>
      fc.constantFrom(
        `${name}.test`,
        `${name}.test:8080`,
        `in.${name}.test`,
        `IN.${name}.TEST:1`,
        `out.${name}.test`,
        `${name}.example`,
        `${name}test`,
      ),
    ),
    path: fc.oneof({ weight: 4, arbitrary: plainPath() }, { weight: 1, arbitrary: oddPath() }),
    headers: fc
      .tuple(
        ...PIN_HEADERS.flatMap((header) => [
          maybe(header, pinValue(), 0.5),
          maybe(header, pinValue(), 0.1),
          maybe(header.replaceAll('-', '_'), pinValue(), 0.1),
          maybe(`${header}-on`, fc.constantFrom('true', 'false', '', 'TRUE', 'true,false'), 0.15),
        ]),
        maybe('X-Tenant-Id', tenantValue(), 0.6),
        maybe('x-tenant-id', tenantValue(), 0.1),
        maybe(
          'content-type',
          fc.constantFrom('application/grpc', 'application/grpc+proto', 'application/grpc-web', 'text/plain'),
          0.2,
        ),
        ...COHORT_HEADERS.map((header) => maybe(header, cohortValue(), 0.15)),
        maybe('x-beta', cohortValue(), 0.05),
        maybe('x-switchyard-version', fc.constant('v1'), 0.1),
        maybe('x-switchyard-mirror', fc.constant('1'), 0.1),
      )
      .map((lines) => lines.flat())
      .chain((lines) => fc.shuffledSubarray(lines, { minLength: lines.length })),
  });
}

function maybe(
  name: string,
  value: fc.Arbitrary<string>,
  share: number,
): fc.Arbitrary<readonly (readonly [string, string])[]> {
  return fc
    .tuple(fc.integer({ min: 0, max: 99 }), value)
    .map(([draw, text]) => (draw < share * 100 ? [[name, text]] : []));
}

function pinValue(): fc.Arbitrary<string> {
  const near = ['V1', 'v3', '', 'v1,v2', ' v2\t', '\u00a0v2', 'v', '1.8', 'v'.repeat(300)];
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...VERSIONS) },
    { weight: 1, arbitrary: fc.constantFrom(...near) },
  );
}

function cohortValue(): fc.Arbitrary<string> {
  return fc.constantFrom(...COHORT_VALUES, '', 'Red', ' 1\t');
}

function tenantValue(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...TENANTS, '', 'ü', '  acme ') },
    { weight: 1, arbitrary: fc.stringMatching(/^[a-z0-9-]{1,60}$/) },
  );
}

function plainPath(): fc.Arbitrary<string> {
  return fc.constantFrom(...PLAIN_PATHS);
}

/** Paths that mean another one: dot segments, needless escapes, backslashes, repeated slashes. */
function oddPath(): fc.Arbitrary<string> {
  return fc
    .array(fc.constantFrom(...ODD_PIECES), { minLength: 1, maxLength: 6 })
    .map((pieces) => `/x${pieces.join('')}`.replace(/^\/x(?=\/)/, ''));
}
