/**
 * `explain` against a real Envoy: random requests to random services, and the two must agree on each: the version, or the
 * refusal with its status and code. 10,000 of them take some seconds, so there is no smaller sample.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RoutingTable } from '../../src/model/table.ts';
import { explain } from '../../src/routing/explain.ts';
import { type EchoServer, startEcho } from '../support/echo.ts';
import { eventually } from '../support/eventually.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type RandomRequest, randomRequest, randomTable, VERSIONS } from '../support/random-routes.ts';
import { RawConnection, type RawResponse, requestBytes } from '../support/raw-http1.ts';
import { seed } from '../support/seed.ts';

const SERVICES = 24;
const REQUESTS = 10_000;
/** The header that tells requests apart. */
const NUMBER = 'x-request-number';
/** Clients' addresses: all of 127.0.0.0/8 is this machine. */
const CLIENTS = Array.from({ length: 8 }, (_, index) => `127.0.0.${index + 1}`);

let instances: readonly EchoServer[];
let table: RoutingTable;
let gateway: Gateway;

beforeAll(async () => {
  instances = await Promise.all(VERSIONS.map((version) => startEcho(version)));
  const endpoints = new Map(VERSIONS.map((version, index) => [version, instances[index]?.address]));
  [table = { services: [] }] = fc.sample(randomTable(SERVICES, endpoints), { seed: seed(), numRuns: 1 });
  gateway = await startGateway(table);
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all(instances.map((instance) => instance.close()));
});

/** What a proxy did, in the words of a decision. */
function observed(response: RawResponse | undefined): string {
  if (response === undefined) return 'no answer';
  const { status, headers, body } = response;
  const code = headers.get('x-switchyard-code') ?? '';
  const version = headers.get('x-switchyard-version');
  if (code === 'NO_READY_ENDPOINT') return `version ${version}`;
  const grpc = headers.get('grpc-status');
  if (grpc !== undefined) return `refused ${status}/${grpc} ${code}`.trim();
  if (status !== 200) return `refused ${status} ${code}`.trim();
  const { version: served } = JSON.parse(body) as { version: string };
  return served === version ? `version ${version}` : `version ${version}, but ${served} answered`;
}

function expected(request: RandomRequest, sourceAddress: string): string {
  const { outcome } = explain(table, { listener: 'gateway', request: { ...request, sourceAddress } });
  switch (outcome.kind) {
    case 'Version':
      return `version ${outcome.version}`;
    case 'ByWeight':
      return 'either side';
    case 'Refused': {
      const grpc = outcome.grpcStatus === undefined ? '' : `/${outcome.grpcStatus}`;
      // Envoy answers these two without a code.
      const code = ['NO_VIRTUAL_HOST', 'INVALID_PATH'].includes(outcome.code) ? '' : outcome.code;
      return `refused ${outcome.status}${grpc} ${code}`.trim();
    }
  }
}

/** Sends the request with a number of its own, by which its copy is known. */
async function ask(connection: RawConnection, request: RandomRequest, number: number): Promise<string> {
  const { method, host, path, headers } = request;
  const lines = headers.map(([name, value]) => `${name}: ${Buffer.from(value).toString('latin1')}`);
  const ours = [`${NUMBER}: ${number}`, ...(method === 'GET' ? [] : ['content-length: 0'])];
  connection.write(requestBytes({ method, path, host, lines: [...lines, ...ours] }));
  return observed(await connection.response());
}

const drawn = (): readonly RandomRequest[] =>
  fc.sample(randomRequest(table), { seed: seed() + 1, numRuns: REQUESTS });
const clientOf = (number: number): string => CLIENTS[number % CLIENTS.length] ?? '127.0.0.1';

test(`explain and Envoy agree on ${REQUESTS} random requests, and on which of them are copied`, async () => {
  const requests = drawn();
  const differences = await Promise.all(
    CLIENTS.map(async (address) => {
      const found: unknown[] = [];
      let connection = await RawConnection.open(gateway.port(), address);
      for (const [number, request] of requests.entries()) {
        if (clientOf(number) !== address) continue;
        if (connection.ended) {
          connection.close();
          connection = await RawConnection.open(gateway.port(), address);
        }
        const seen = await ask(connection, request, number);
        const wanted = expected(request, address);
        if (seen !== wanted) found.push({ request, address, envoy: seen, explain: wanted });
      }
      connection.close();
      return found;
    }),
  );
  expect(differences.flat()).toEqual([]);

  const foretold = requests.map((request, number) => expectedCopy(request, clientOf(number)));
  const certain = foretold.filter((copy) => copy?.kind === 'Always').length;
  expect(certain).toBeGreaterThan(0);
  await eventually(
    () => copiesSeen().filter(([number]) => foretold[number]?.kind === 'Always').length >= certain,
    {
      what: `${certain} copies`,
    },
  );
  const wrong = copiesSeen().filter(([number, version]) => foretold[number]?.version !== version);
  expect(wrong.map(([number, version]) => ({ request: requests[number], version }))).toEqual([]);
  const numbers = copiesSeen().map(([number]) => number);
  expect(new Set(numbers).size).toBe(numbers.length);
});

/** The copies that arrived: the number of the request, and where. */
function copiesSeen(): readonly (readonly [number: number, version: string])[] {
  return instances.flatMap((instance) =>
    instance.copies().map(({ headers, version }) => [Number(headers[NUMBER]), version] as const),
  );
}

/** Whether the request is copied to an instance: always, perhaps, or (`undefined`) never. */
function expectedCopy(request: RandomRequest, sourceAddress: string) {
  const { service, copied } = explain(table, { listener: 'gateway', request: { ...request, sourceAddress } });
  const routes = table.services.find((each) => each.service === service);
  const taker = routes?.versions.find(({ version }) => version === copied?.version);
  if (copied === undefined || taker === undefined || taker.endpoints.length === 0) return undefined;
  return { kind: copied.percent === 100 ? 'Always' : 'Perhaps', version: copied.version } as const;
}

test('the random requests meet every rule', () => {
  const rules = new Set(
    drawn().map(
      (request) =>
        explain(table, { listener: 'gateway', request: { ...request, sourceAddress: '127.0.0.1' } }).rule,
    ),
  );
  expect([...rules].toSorted()).toEqual([
    'Cohort',
    'DefaultPrimary',
    'DefaultSplit',
    'Hold',
    'InvalidPath',
    'MarkerWithoutPin',
    'MisspeltPin',
    'NoPrimary',
    'NoVirtualHost',
    'Pin',
    'PreviewPin',
    'UnknownPin',
  ]);
});
