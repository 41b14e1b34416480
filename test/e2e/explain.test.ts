/**
 * `explain` against a real Envoy: random requests to random services, and the two must agree on each: the version, or the
 * refusal with its status and code. 10,000 of them take some seconds, so there is no smaller sample.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RoutingTable } from '../../src/model/table.ts';
import { explain } from '../../src/routing/explain.ts';
import { type EchoServer, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type RandomRequest, randomRequest, randomTable, VERSIONS } from '../support/random-routes.ts';
import { RawConnection, type RawResponse, requestBytes } from '../support/raw-http1.ts';
import { seed } from '../support/seed.ts';

const SERVICES = 24;
const REQUESTS = 10_000;
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

async function ask(connection: RawConnection, { host, path, headers }: RandomRequest): Promise<string> {
  const lines = headers.map(([name, value]) => `${name}: ${Buffer.from(value).toString('latin1')}`);
  connection.write(requestBytes({ path, host, lines }));
  return observed(await connection.response());
}

test(`explain and Envoy agree on ${REQUESTS} random requests`, async () => {
  const requests = fc.sample(randomRequest(table), { seed: seed() + 1, numRuns: REQUESTS });
  const perClient = CLIENTS.map((_, client) =>
    requests.filter((__, index) => index % CLIENTS.length === client),
  );
  const differences = await Promise.all(
    CLIENTS.map(async (address, client) => {
      const found: unknown[] = [];
      let connection = await RawConnection.open(gateway.port(), address);
      for (const request of perClient[client] ?? []) {
        if (connection.ended) {
          connection.close();
          connection = await RawConnection.open(gateway.port(), address);
        }
        const seen = await ask(connection, request);
        const wanted = expected(request, address);
        if (seen !== wanted) found.push({ request, address, envoy: seen, explain: wanted });
      }
      connection.close();
      return found;
    }),
  );
  expect(differences.flat()).toEqual([]);
});

test('the random requests meet every rule', () => {
  const requests = fc.sample(randomRequest(table), { seed: seed() + 1, numRuns: REQUESTS });
  const rules = new Set(
    requests.map(
      (request) =>
        explain(table, { listener: 'gateway', request: { ...request, sourceAddress: '127.0.0.1' } }).rule,
    ),
  );
  expect([...rules].toSorted()).toEqual([
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
