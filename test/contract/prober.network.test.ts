/** The prober contract over the network, for each kind of probe. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { systemClock } from '../../src/adapters/clock.ts';
import { createProber } from '../../src/adapters/prober/prober.ts';
import { hang, Receiver, say } from '../support/receiver.ts';
import { anInstance } from '../support/records.ts';
import {
  type InstancesAnswer,
  type ProberUnderTest,
  proberContract,
  type ReceiverDecides,
} from './prober.ts';

const SECRET = 'a secret of the tests';
const TIMEOUT = 500;
/** For answers that do come: a busy machine may take its time. */
const PATIENCE = 20_000;

/** The part of the world that all kinds share: a prober, and a receiver of webhooks. */
async function shared() {
  const receiver = await Receiver.start();
  const webhook = { kind: 'webhook' as const, url: receiver.url('/gate'), timeout: PATIENCE };
  return {
    receiver,
    prober: createProber({ clock: systemClock, secret: SECRET, allowCommands: true }),
    webhook,
    receiverDecides(what: ReceiverDecides) {
      const answers = {
        approve: say(200),
        refuse: say(403, 'not today'),
        wait: say(503),
        nothing: hang,
      };
      receiver.answer = answers[what];
      webhook.timeout = what === 'nothing' ? TIMEOUT : PATIENCE;
    },
  };
}

/** The timeout of a metric follows what the instances do, so that a slow machine does not fail a test. */
function timeoutFor(how: InstancesAnswer): number {
  return how === 'not at all' ? TIMEOUT : PATIENCE;
}

proberContract('the prober over HTTP', async (): Promise<ProberUnderTest> => {
  const { receiver, ...rest } = await shared();
  const instance = await Receiver.start();
  const metric = {
    kind: 'http' as const,
    method: 'GET',
    path: '/healthz',
    headers: {},
    statuses: { from: 200, to: 299 },
    timeout: PATIENCE,
  };
  return {
    ...rest,
    metric,
    instances: [anInstance('v2', { address: { host: '127.0.0.1', port: instance.port } })],
    instancesAnswer(how) {
      metric.timeout = timeoutFor(how);
      instance.answer = { well: say(204), badly: say(500), 'not at all': hang }[how];
    },
    async close() {
      await instance.close();
      await receiver.close();
    },
  };
});

proberContract('the prober over gRPC', async (): Promise<ProberUnderTest> => {
  const { receiver, ...rest } = await shared();
  const health = new HealthImplementation({ '': 'SERVING' });
  const server = new Server();
  health.addToServer(server);
  const port = await promisify(server.bindAsync.bind(server))(
    '127.0.0.1:0',
    ServerCredentials.createInsecure(),
  );
  const metric = { kind: 'grpc' as const, service: '', timeout: PATIENCE };
  return {
    ...rest,
    metric,
    instances: [anInstance('v2', { address: { host: '127.0.0.1', port } })],
    instancesAnswer(how) {
      metric.timeout = timeoutFor(how);
      health.setStatus('', how === 'well' ? 'SERVING' : 'NOT_SERVING');
      if (how === 'not at all') server.forceShutdown();
    },
    async close() {
      server.forceShutdown();
      await receiver.close();
    },
  };
});

proberContract('the prober with a command', async (): Promise<ProberUnderTest> => {
  const { receiver, ...rest } = await shared();
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-prober-'));
  const program = join(folder, 'probe');
  const write = (script: string) => writeFileSync(program, `#!/bin/sh\n${script}\n`);
  write('exit 0');
  chmodSync(program, 0o755);
  const metric = { kind: 'command' as const, command: [program, '${address}'], timeout: PATIENCE };
  return {
    ...rest,
    metric,
    instances: [anInstance('v2')],
    instancesAnswer(how) {
      metric.timeout = timeoutFor(how);
      write({ well: 'exit 0', badly: 'echo "$1 is bad"; exit 3', 'not at all': 'sleep 600' }[how]);
    },
    async close() {
      rmSync(folder, { recursive: true });
      await receiver.close();
    },
  };
});
