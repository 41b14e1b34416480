// Loaded before the example manager (`node --import`): writes down each request of tests that comes to it, before it is looked at
// and at once, so that even a process that is killed has told what it had.
import { subscribe } from 'node:diagnostics_channel';
import { writeSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

const STANDARD_OUTPUT = 1;

function note(headers: IncomingHttpHeaders): void {
  const id = headers['x-test-request'];
  if (typeof id === 'string') writeSync(STANDARD_OUTPUT, `arrived ${id}\n`);
}

subscribe('http.server.request.start', (message) =>
  note((message as { readonly request: IncomingMessage }).request.headers),
);
subscribe('http2.server.stream.created', (message) =>
  note((message as { readonly headers: IncomingHttpHeaders }).headers),
);
