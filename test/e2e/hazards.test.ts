/**
 * What clients may do to the pin header, row by row, through a real Envoy over HTTP/1 and HTTP/2. Each row says what must
 * come of it: `v1` is the primary, so `v1` for a client that meant a pin would be the fall-through that rule 1 forbids.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Echo, type EchoServer, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type RawResponse, rawHttp1 } from '../support/raw-http1.ts';
import { http2Frames, http2Request } from '../support/raw-http2.ts';
import { scoped, serviceRoutes, table } from '../support/tables.ts';

const PIN = 'x-delegate-version';
const MARKER = 'x-delegate-pinned';

type Outcome = 'v1' | 'v2' | 'Refused' | 'BadRequest' | 'TooLarge' | 'Closed';
type Header = readonly [name: string, value: string];

interface Row {
  readonly input: string;
  readonly headers: readonly Header[];
  readonly http1?: Outcome;
  readonly http2?: Outcome;
}

const long = (length: number): string => 'v'.repeat(length);

const ROWS: readonly Row[] = [
  { input: 'no header', headers: [], http1: 'v1', http2: 'v1' },
  { input: 'a version', headers: [[PIN, 'v2']], http1: 'v2', http2: 'v2' },
  { input: 'the name in capitals', headers: [['X-Delegate-Version', 'v2']], http1: 'v2' },
  { input: 'the value in capitals', headers: [[PIN, 'V2']], http1: 'Refused', http2: 'Refused' },
  // HTTP/1 says that the padding is no part of the value; over HTTP/2 it stays.
  { input: 'a padded value', headers: [[PIN, ' v2\t']], http1: 'v2', http2: 'Refused' },
  { input: 'a no-break space', headers: [[PIN, '\u00a0v2']], http1: 'Refused', http2: 'Refused' },
  {
    input: 'two lines, the primary last',
    headers: [
      [PIN, 'v2'],
      [PIN, 'v1'],
    ],
    http1: 'Refused',
    http2: 'Refused',
  },
  {
    input: 'two lines, the primary first',
    headers: [
      [PIN, 'v1'],
      [PIN, 'v2'],
    ],
    http1: 'Refused',
    http2: 'Refused',
  },
  {
    input: 'the same line twice',
    headers: [
      [PIN, 'v2'],
      [PIN, 'v2'],
    ],
    http1: 'Refused',
    http2: 'Refused',
  },
  { input: 'a list', headers: [[PIN, 'v2,v1']], http1: 'Refused', http2: 'Refused' },
  { input: 'an empty value', headers: [[PIN, '']], http1: 'Refused', http2: 'Refused' },
  { input: 'an unknown version', headers: [[PIN, 'v9']], http1: 'Refused', http2: 'Refused' },
  { input: '8 KB', headers: [[PIN, long(8_000)]], http1: 'Refused', http2: 'Refused' },
  { input: '59 KB', headers: [[PIN, long(59_000)]], http1: 'Refused', http2: 'Refused' },
  { input: '70 KB', headers: [[PIN, long(70_000)]], http1: 'TooLarge', http2: 'Closed' },
  { input: 'a NUL', headers: [[PIN, 'v2\0']], http1: 'BadRequest' },
  { input: 'a space before the colon', headers: [[`${PIN} `, 'v2']], http1: 'BadRequest' },
  { input: 'a folded value', headers: [[PIN, 'v2\r\n v3']], http1: 'Refused' },
  { input: 'underscores', headers: [['x_delegate_version', 'v2']], http1: 'Refused', http2: 'Refused' },
  {
    input: 'underscores beside the pin',
    headers: [
      ['x_delegate_version', 'v1'],
      [PIN, 'v2'],
    ],
    http1: 'v2',
    http2: 'v2',
  },
  {
    input: 'the pin named in Connection',
    headers: [
      ['connection', PIN],
      [PIN, 'v2'],
    ],
    http1: 'v1',
  },
  {
    input: 'the pin named in Connection, with the marker',
    headers: [
      ['connection', PIN],
      [PIN, 'v2'],
      [MARKER, 'true'],
    ],
    http1: 'Refused',
  },
  { input: 'the marker alone', headers: [[MARKER, 'true']], http1: 'Refused', http2: 'Refused' },
  { input: 'the marker in other words', headers: [[MARKER, 'TRUE']], http1: 'Refused', http2: 'Refused' },
  { input: 'a marker that says no', headers: [[MARKER, 'false']], http1: 'v1', http2: 'v1' },
];

let gateway: Gateway;
let instances: readonly EchoServer[];

beforeAll(async () => {
  instances = [await startEcho('v1'), await startEcho('v2')];
  const [v1 = {}, v2 = {}] = instances.map(({ address }) => ({ endpoints: [address] }));
  const inside = scoped({ hosts: ['pin.inside.test'], paths: ['/internal'], grpcServices: ['a.v1.B'] });
  gateway = await startGateway(
    table(
      serviceRoutes({ listeners: [{ port: 0, domains: ['*'] }], versions: { v1, v2 } }),
      serviceRoutes({
        service: 'inside',
        listeners: [{ port: 0, domains: ['*.inside.test'] }],
        versions: { v1, v2 },
        pin: { allow: inside },
        tenantKey: { allow: inside },
        holds: { acme: 'v2' },
      }),
    ),
  );
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all(instances.map((instance) => instance.close()));
});

const STATUS_NAMES: Readonly<Record<number, Outcome>> = {
  400: 'BadRequest',
  409: 'Refused',
  431: 'TooLarge',
};

function outcomeOf(response: RawResponse | undefined): string {
  if (response === undefined) return 'Closed';
  if (response.status === 200) return echoOf(response).version;
  return STATUS_NAMES[response.status] ?? `status ${response.status}`;
}

function echoOf(response: RawResponse | undefined): Echo {
  expect(response?.status).toBe(200);
  return JSON.parse(response?.body ?? '') as Echo;
}

describe('the pin header over HTTP/1', () => {
  test.each(ROWS.filter(({ http1 }) => http1 !== undefined))('$input: $http1', async ({ headers, http1 }) => {
    const lines = headers.map(([name, value]) => `${name}: ${value}`);
    expect(outcomeOf(await rawHttp1(gateway.port(), lines))).toBe(http1);
  });
});

describe('the pin header over HTTP/2', () => {
  test.each(ROWS.filter(({ http2 }) => http2 !== undefined))('$input: $http2', async ({ headers, http2 }) => {
    expect(outcomeOf(await http2Request(gateway.port(), headers))).toBe(http2);
  });

  test('frames with a lower-case name are answered: the frames of the next test are right', async () => {
    expect(await http2Frames(gateway.port(), [[PIN, 'v2']])).toBe('Answered');
  });

  test('a name in capitals ends the connection or the stream, and reaches nobody', async () => {
    const before = instances.map((instance) => instance.requests());
    expect(await http2Frames(gateway.port(), [['X-Delegate-Version', 'v2']])).not.toBe('Answered');
    expect(instances.map((instance) => instance.requests())).toEqual(before);
  });
});

describe('where the pin and the tenant count', () => {
  const headers = [`${PIN}: v2`, `${MARKER}: true`, 'x-tenant-id: acme'];

  test.each([
    ['a host of the scope', 'pin.inside.test', '/'],
    ['such a host with a port', 'PIN.inside.test:8080', '/'],
    ['a path of the scope', 'x.inside.test', '/internal'],
    ['a path below it', 'x.inside.test', '/internal/x?y=1'],
    ['the path with a query', 'x.inside.test', '/internal?y=1'],
    ['the path in another spelling', 'x.inside.test', '/public/../%69nternal/x'],
    ['a gRPC service of the scope', 'x.inside.test', '/a.v1.B/C'],
  ])('inside: %s', async (_, host, path) => {
    const echo = echoOf(await rawHttp1(gateway.port(), headers, { host, path }));
    expect(echo.version).toBe('v2');
    expect(echo.headers).toMatchObject({ [PIN]: 'v2', 'x-tenant-id': 'acme' });
  });

  test.each([
    ['another host', 'x.inside.test', '/'],
    ['a path that only begins alike', 'x.inside.test', '/internalx'],
    ['the path within a query', 'x.inside.test', '/?/internal/x'],
    ['a path that leaves the scope', 'x.inside.test', '/internal/../x'],
    ['a gRPC service that only begins alike', 'x.inside.test', '/a.v1.Bx/C'],
  ])('outside the headers are removed, and the request is default traffic: %s', async (_, host, path) => {
    const echo = echoOf(await rawHttp1(gateway.port(), headers, { host, path }));
    expect(echo.version).toBe('v1');
    expect(Object.keys(echo.headers)).not.toEqual(expect.arrayContaining([PIN]));
    expect(Object.keys(echo.headers)).not.toEqual(expect.arrayContaining([MARKER]));
    expect(Object.keys(echo.headers)).not.toEqual(expect.arrayContaining(['x-tenant-id']));
  });

  test('a hold counts where the tenant does', async () => {
    const at = (path: string) =>
      rawHttp1(gateway.port(), ['x-tenant-id: acme'], { host: 'x.inside.test', path });
    expect(outcomeOf(await at('/internal'))).toBe('v2');
    expect(outcomeOf(await at('/'))).toBe('v1');
  });
});

describe('what an instance sees', () => {
  test("headers that only proxies set are removed when they come from outside, Envoy's own too", async () => {
    const lines = [
      'x-switchyard-anything: 1',
      'x-envoy-retry-on: 5xx',
      'x-envoy-max-retries: 9',
      'x-other: 1',
    ];
    const { headers } = echoOf(await rawHttp1(gateway.port(), lines));
    expect(headers['x-other']).toBe('1');
    expect(Object.keys(headers).filter((name) => name.startsWith('x-switchyard-'))).toEqual([]);
    expect(headers).not.toHaveProperty('x-envoy-retry-on');
    expect(headers).not.toHaveProperty('x-envoy-max-retries');
  });

  test('the misspelt pin is removed beside a right one', async () => {
    const { headers } = echoOf(await rawHttp1(gateway.port(), [`${PIN}: v2`, 'x_delegate_version: v1']));
    expect(headers).not.toHaveProperty('x_delegate_version');
  });
});

describe('what a client sees', () => {
  test('the version that answered', async () => {
    const response = await rawHttp1(gateway.port(), [`${PIN}: v2`]);
    expect(response?.headers.get('x-switchyard-version')).toBe('v2');
  });

  test('a refusal that a program can act on', async () => {
    const response = await rawHttp1(gateway.port(), [`${PIN}: v9`]);
    expect(response?.status).toBe(409);
    expect(response?.headers.get('content-type')).toBe('application/json');
    expect(response?.headers.get('retry-after')).toBe('10');
    expect(response?.headers.get('x-switchyard-code')).toBe('VERSION_NOT_ACTIVE');
    expect(JSON.parse(response?.body ?? '')).toEqual({
      code: 'VERSION_NOT_ACTIVE',
      message: 'the version in x-delegate-version is not active',
      activeVersions: ['v1', 'v2'],
      primary: 'v1',
      retryAfterSeconds: 10,
    });
  });
});
