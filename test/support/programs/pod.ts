// What the containers of test Pods run: answers on its Pod's address, with 200 on /healthz until it is told otherwise by
// POST /unready, and with its version and settings elsewhere.
import { createServer } from 'node:http';

const { POD_IP: host = '', PORT: port = '8080', VERSION: version = '', SETTING: setting = '' } = process.env;
let isReady = process.env['READY'] !== 'false';

createServer((request, response) => {
  if (request.method === 'POST') isReady = request.url === '/ready';
  if (request.url === '/healthz' && !isReady) response.statusCode = 503;
  response.end(JSON.stringify({ version, setting }));
}).listen(Number(port), host);

process.once('SIGTERM', () => process.exit(0));
