import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpWorkSource } from '../../src/adapters/http-work-source/work-source.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import { anInstance } from '../support/records.ts';
import { workSourceContract } from './work-source.ts';

workSourceContract('the work source over HTTP', async () => {
  let open: readonly string[] = [];
  let isFenced = false;
  let isAnswering = true;
  const server = createServer((request, response) => {
    if (!isAnswering) {
      response.writeHead(503).end();
      return;
    }
    if (request.url === '/drain') isFenced = request.method === 'POST';
    const listed = open.map((id) => ({ kind: 'stream', id }));
    response.end(JSON.stringify({ asOf: new Date().toISOString(), open: listed, total: open.length }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    source: createHttpWorkSource(),
    request: {
      source: { kind: 'http', fencePath: '/drain', openWorkPath: '/work' },
      service: serviceName('manager'),
      version: versionName('v1'),
      peers: [],
      instances: [anInstance('v1', { address: { host: '127.0.0.1', port } })],
    },
    open: (ids) => {
      open = ids;
    },
    answering: (does) => {
      isAnswering = does;
    },
    fenced: () => isFenced,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
});
