/** Probes of real instances: what exactly is sent, what each answer means, and that nothing is left running. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { status as grpcStatus, Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../src/adapters/clock.ts';
import { createProber } from '../../../../src/adapters/prober/prober.ts';
import type { ProbeMetric } from '../../../../src/model/check.ts';
import type { Instance } from '../../../../src/model/instance.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import type { ProbeAnswer } from '../../../../src/ports/prober.ts';
import { eventually } from '../../../support/eventually.ts';
import { Receiver, say } from '../../../support/receiver.ts';
import { anInstance } from '../../../support/records.ts';

const prober = createProber({ clock: systemClock, allowCommands: true });
const PATIENCE = 20_000;

function probe(
  metric: ProbeMetric,
  instances: readonly Instance[],
  signal?: AbortSignal,
): Promise<ProbeAnswer> {
  return prober.probe({
    metric,
    service: serviceName('manager'),
    version: versionName('v2'),
    pinHeader: 'x-pin',
    instances,
    signal: signal ?? AbortSignal.timeout(PATIENCE),
  });
}

function at(id: string, port: number): Instance {
  return anInstance('v2', { id, address: { host: '127.0.0.1', port } });
}

const http = (replaced: Partial<Extract<ProbeMetric, { kind: 'http' }>> = {}): ProbeMetric => ({
  kind: 'http',
  method: 'GET',
  path: '/healthz',
  headers: {},
  statuses: { from: 200, to: 299 },
  timeout: PATIENCE,
  ...replaced,
});

describe('an HTTP probe', () => {
  test('asks each ready instance once, with its method, path, headers and the pin', async () => {
    const [one, two] = [await Receiver.forThisTest(), await Receiver.forThisTest()];
    const unready = { ...at('manager-3', 1), state: 'Unready' } as const;
    const metric = http({
      method: 'POST',
      path: '/check?deep=1',
      headers: { 'x-token': 'abc', host: 'api.example.com' },
    });
    const answer = await probe(metric, [at('manager-1', one.port), at('manager-2', two.port), unready]);
    expect(answer).toEqual({
      kind: 'approved',
      detail: `manager-1 at 127.0.0.1:${one.port}: POST /check?deep=1 answered 200; manager-2 at 127.0.0.1:${two.port}: POST /check?deep=1 answered 200`,
    });
    for (const { received } of [one, two]) {
      expect(received).toHaveLength(1);
      expect(received[0]).toMatchObject({
        method: 'POST',
        path: '/check?deep=1',
        headers: { 'x-token': 'abc', 'x-pin': 'v2', host: 'api.example.com' },
      });
    }
  });

  test.each([
    [500, 200, 204, false],
    [200, 200, 204, true],
    [204, 200, 204, true],
    [205, 200, 204, false],
    [302, 200, 399, true],
    [404, 404, 404, true],
  ])('status %i within %i to %i: %o', async (status, from, to, isGood) => {
    const receiver = await Receiver.forThisTest();
    receiver.answer = say(status, 'no database', { location: '/elsewhere' });
    const answer = await probe(http({ statuses: { from, to } }), [at('manager-1', receiver.port)]);
    expect(answer.kind).toBe(isGood ? 'approved' : 'refused');
    expect(receiver.received).toHaveLength(1);
  });

  test('one bad instance among good ones refuses, and says which and what it said', async () => {
    const [good, bad] = [await Receiver.forThisTest(), await Receiver.forThisTest()];
    bad.answer = say(500, 'no\ndatabase');
    const answer = await probe(http(), [at('manager-1', good.port), at('manager-2', bad.port)]);
    expect(answer).toEqual({
      kind: 'refused',
      detail: `manager-2 at 127.0.0.1:${bad.port}: GET /healthz answered 500, which is not 200 to 299: no database`,
    });
  });

  test('an answer without end does not hold it up, and is not kept', async () => {
    const receiver = await Receiver.forThisTest();
    receiver.answer = (response) => {
      response.writeHead(500);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(4096)));
      };
      response.on('drain', more);
      more();
    };
    const answer = await probe(http(), [at('manager-1', receiver.port)]);
    expect(answer.kind).toBe('refused');
    expect(JSON.stringify(answer).length).toBeLessThan(600);
  });

  test('a bad answer weighs more than a missing one', async () => {
    const [bad, gone] = [await Receiver.forThisTest(), await Receiver.forThisTest()];
    bad.answer = say(503);
    const { port } = gone;
    await gone.close();
    const instances = [at('manager-1', port), at('manager-2', bad.port)];
    expect((await probe(http(), instances)).kind).toBe('refused');
    expect(await probe(http(), instances.slice(0, 1))).toEqual({
      kind: 'error',
      reason: expect.stringMatching(/^manager-1 at .*ECONNREFUSED/),
    });
  });
});

describe('a gRPC probe', () => {
  async function healthServer(): Promise<{ health: HealthImplementation; port: number }> {
    const server = new Server();
    const health = new HealthImplementation({ '': 'SERVING', 'pipeline.v1.Tasks': 'NOT_SERVING' });
    health.addToServer(server);
    const bind = promisify(server.bindAsync.bind(server));
    const port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
    onTestFinished(() => server.forceShutdown());
    return { health, port };
  }
  const grpc = (service: string): ProbeMetric => ({ kind: 'grpc', service, timeout: PATIENCE });

  test('passes where the named service is SERVING, and only there', async () => {
    const { health, port } = await healthServer();
    const instance = [at('manager-1', port)];
    expect((await probe(grpc(''), instance)).kind).toBe('approved');
    const bad = await probe(grpc('pipeline.v1.Tasks'), instance);
    expect(bad).toMatchObject({ kind: 'refused', detail: expect.stringContaining('is NOT_SERVING') });
    health.setStatus('pipeline.v1.Tasks', 'SERVING');
    expect((await probe(grpc('pipeline.v1.Tasks'), instance)).kind).toBe('approved');
  });

  test('a service that the instance does not know refuses; an instance without health is an error', async () => {
    const { port } = await healthServer();
    const unknown = await probe(grpc('pipeline.v1.Nobody'), [at('manager-1', port)]);
    expect(unknown.kind).toBe('refused');
    expect(JSON.stringify(unknown)).toContain(grpcStatus[grpcStatus.NOT_FOUND]);
    const bare = new Server();
    const bind = promisify(bare.bindAsync.bind(bare));
    const barePort = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
    onTestFinished(() => bare.forceShutdown());
    expect(await probe(grpc(''), [at('manager-1', barePort)])).toMatchObject({
      kind: 'error',
      reason: expect.stringContaining('no gRPC health service'),
    });
  });
});

describe('a command', () => {
  const command = (...words: string[]): ProbeMetric => ({
    kind: 'command',
    command: words,
    timeout: PATIENCE,
  });
  const script = (text: string, ...words: string[]) => command('sh', '-c', text, 'probe', ...words);

  test('is told version, service and address, without a shell in between', async () => {
    const metric = command(
      'printf',
      '%s|',
      '${version}',
      '${service}',
      '${address}',
      '${other}',
      '$(id) ; *',
    );
    expect(await probe(metric, [at('manager-1', 9001)])).toEqual({
      kind: 'approved',
      detail:
        'manager-1 at 127.0.0.1:9001: printf exited with 0: v2|manager|127.0.0.1:9001|${other}|$(id) ; *|',
    });
  });

  test('refuses by its exit status, with what it wrote', async () => {
    expect(await probe(script('echo out; echo err >&2; exit 7'), [at('manager-1', 9001)])).toMatchObject({
      kind: 'refused',
      detail: expect.stringMatching(/exited with 7: (out err|err out)$/),
    });
  });

  test.each([
    ['cannot be started', command('/no/such/program'), /cannot be started: .*ENOENT/],
    ['was ended by a signal', script('kill -9 $$'), /was ended by SIGKILL/],
  ])('that %s is an error', async (_, metric, reason) => {
    expect(await probe(metric, [at('manager-1', 9001)])).toMatchObject({
      kind: 'error',
      reason: expect.stringMatching(reason),
    });
  });

  test('that writes without end is bounded and still ends', async () => {
    const answer = await probe(script('head -c 5000000 /dev/zero | tr "\\0" x; exit 1'), [
      at('manager-1', 9001),
    ]);
    expect(answer.kind).toBe('refused');
    expect(JSON.stringify(answer).length).toBeLessThan(600);
  });

  test('gets nothing of our environment but what a program needs', async () => {
    process.env['SWITCHYARD_TEST_TOKEN'] = 'secret';
    onTestFinished(() => {
      delete process.env['SWITCHYARD_TEST_TOKEN'];
    });
    const answer = await probe(script('test -n "$PATH" && test -z "$SWITCHYARD_TEST_TOKEN"'), [
      at('manager-1', 9001),
    ]);
    expect(answer.kind).toBe('approved');
  });

  /** A command that starts another program and writes that one's process id into a file. */
  function withChild(then: string): {
    metric: ProbeMetric;
    started: () => Promise<unknown>;
    childEnded: () => Promise<unknown>;
  } {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-prober-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'pid');
    const metric = {
      ...script(`sleep 600 & echo $! > "$1.new"; mv "$1.new" "$1"; ${then}`, file),
      timeout: 300,
    };
    const childEnded = () =>
      eventually(() => existsSync(file) && !isRunning(Number(readFileSync(file, 'utf8'))), {
        what: 'the end of the child',
      });
    return { metric, started: () => eventually(() => existsSync(file)), childEnded };
  }

  test('that takes too long is ended with all that it started', async () => {
    const { metric, childEnded } = withChild('wait');
    expect(await probe(metric, [at('manager-1', 9001)])).toMatchObject({
      kind: 'error',
      reason: expect.stringContaining('did not end within 300 ms'),
    });
    await childEnded();
  });

  test('that ends well leaves nothing running, and is not waited for by what it left', async () => {
    const { metric, childEnded } = withChild('exit 0');
    expect((await probe({ ...metric, timeout: PATIENCE }, [at('manager-1', 9001)])).kind).toBe('approved');
    await childEnded();
  });

  test('is ended when the round is', async () => {
    const { metric, started, childEnded } = withChild('wait');
    const ending = new AbortController();
    const answer = probe({ ...metric, timeout: PATIENCE }, [at('manager-1', 9001)], ending.signal);
    await started();
    ending.abort();
    expect(await answer).toMatchObject({ kind: 'error', reason: expect.stringContaining('was ended') });
    await childEnded();
  });

  test('is not run by a controller without --allow-commands', async () => {
    const careful = createProber({ clock: systemClock, allowCommands: false });
    const answer = await careful.probe({
      metric: command('true'),
      service: serviceName('manager'),
      version: versionName('v2'),
      pinHeader: 'x-pin',
      instances: [at('manager-1', 9001)],
      signal: AbortSignal.timeout(PATIENCE),
    });
    expect(answer).toMatchObject({ kind: 'error', reason: expect.stringContaining('--allow-commands') });
  });
});

/** A zombie that nobody has collected yet has ended too. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
