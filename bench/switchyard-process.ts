/**
 * Switchyard's side of the benchmark, as a process: the real publisher, translation and xDS server, with everything
 * that follows them in the controller. It flips between two tables when it is told to over HTTP, as the peer does.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { systemClock } from '../src/adapters/clock.ts';
import { ProxyTracker } from '../src/controller/proxies.ts';
import { followConvergence } from '../src/telemetry/convergence.ts';
import { xdsMetrics } from '../src/telemetry/xds-metrics.ts';
import { createPublisher } from '../src/xds/publisher.ts';
import { startXdsServer } from '../src/xds/server.ts';
import { createTranslator } from '../src/xds/translate/index.ts';
import { contentOf, SHAPES, type ShapeName } from './content.ts';

const GRACE_MS = 600_000;

const { tables } = contentOf(SHAPES[process.argv[2] as ShapeName]);
const registry = new Registry();
const publisher = createPublisher({
  translate: createTranslator(),
  now: () => systemClock.now(),
  observer: xdsMetrics(registry),
});
followConvergence(publisher, registry);
new ProxyTracker({ publisher, clock: systemClock, grace: GRACE_MS, stored: [] }).follow();

let flips = 0;
const publish = (): void => {
  publisher.publish({ number: flips + 1, table: tables[flips % 2] ?? tables[0] });
  flips += 1;
};
publish();

const xds = await startXdsServer({ publisher, host: '127.0.0.1', port: 0 });
const control = createServer((_request, response) => {
  publish();
  response.end();
});
control.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ xds: xds.port, control: (control.address() as AddressInfo).port }));
});
// Without this a profile would not be written.
process.once('SIGTERM', () => process.exit(0));
