/** Gateways and instances of one test, stopped at its end, and what an answer says. */
import { afterEach } from 'vitest';
import { type Behaviour, type Echo, type EchoServer, startEcho } from './echo.ts';
import { type Gateway, startGateway } from './gateway.ts';
import type { RawResponse } from './raw-http1.ts';
import { type RoutesFacts, serviceRoutes, table } from './tables.ts';

export const PIN = 'x-delegate-version';

/** Whatever else is stopped at the end of the test. */
export const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

/** An instance of `version`. */
export async function echo(version: string, behaviour: Behaviour = 'Answer'): Promise<EchoServer> {
  const server = await startEcho(version, behaviour);
  running.push({ stop: () => server.close() });
  return server;
}

/** A port where nobody listens: connections are refused. */
export async function nobody(): Promise<EchoServer['address']> {
  const server = await startEcho('nobody');
  await server.close();
  return server.address;
}

/** A gateway with one service on the listener `gateway`, for all hosts. */
export async function gatewayOf(facts: RoutesFacts, accessLog = false): Promise<Gateway> {
  const routes = serviceRoutes({ listeners: [{ port: 0, domains: ['*'] }], ...facts });
  const gateway = await startGateway(table(routes), { accessLog });
  running.push(gateway);
  return gateway;
}

/** The version that served, or the status. */
export function served(response: RawResponse | undefined): string {
  return response?.status === 200
    ? (JSON.parse(response.body) as Echo).version
    : `status ${response?.status}`;
}
