/**
 * `switchyard report` of rollouts that really happened: a controller, a real Envoy that reports to it, and instances. What
 * was sent while the rollout went on is what the report counts; what nobody could count is said.
 */
import { readFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseReport } from '../../src/cli/report/parse.ts';
import type { RolloutReport } from '../../src/model/report.ts';
import type { Envoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { type Site, useSite } from '../support/system/site.ts';
import { parseMarkup } from '../support/well-formed.ts';

const site = useSite(async (opened) => {
  await opened.start();
});

/** A service on a listener of its own, with v1 as its primary and v2 listed, behind an Envoy of its own. */
async function serviceBehindEnvoy(name: string): Promise<{
  readonly deploy: (version: string) => Promise<void>;
  readonly session: ClientHttp2Session;
  readonly envoy: Envoy;
}> {
  const port = await freePort();
  const versions = await Promise.all(
    ['v1', 'v2'].map(async (version) => ({
      name: version,
      addresses: [(await site().manager(version, `${name}-${version}`)).address],
    })),
  );
  const document = (version: string): ServiceDocument => ({
    name,
    version,
    listeners: [{ name, port, accessLog: true }],
    runtime: { endpoints: { versions } },
    more: { traffic: { steps: [50, 100], promotion: 'Manual' } },
  });
  await site().apply(document('v1'));
  const envoy = await site().gateway({ name: `${name}-gateway`, listeners: [name], services: [name] });
  await site().inSync(`${name}-gateway`);
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  site().defer(() => session.destroy());
  return { session, envoy, deploy: (version) => site().apply(document(version)) };
}

/** Sends requests one after another; gives how many each version answered, and refusals as `refused`. */
async function send(
  session: ClientHttp2Session,
  requests: number,
  more: { pin?: string; path?: string } = {},
): Promise<Record<string, number>> {
  const { pin, path = '/' } = more;
  const answers: Record<string, number> = {};
  for (let index = 0; index < requests; index += 1) {
    const headers = pin === undefined ? { 'x-tenant-id': `tenant-${index}` } : { 'x-delegate-version': pin };
    const stream = session.request({ ':path': path, ...headers });
    let by = 'none';
    stream.on('response', (answer) => {
      by = answer[':status'] === 409 ? 'refused' : String(answer['x-switchyard-version']);
    });
    stream.resume();
    await new Promise((resolve) => stream.once('close', resolve));
    answers[by] = (answers[by] ?? 0) + 1;
  }
  return answers;
}

async function report(on: Site, subject: string): Promise<RolloutReport> {
  return parseReport(await on.ok('report', subject, '-o', 'json'));
}

/** The report once its rollout is in this state and its last reports have arrived. */
function reportOf(subject: string, isMeant: (made: RolloutReport) => boolean): Promise<RolloutReport> {
  return eventually(
    async () => {
      const made = await report(site(), subject);
      if (!isMeant(made)) throw new Error(`not yet: ${made.summary} ${JSON.stringify(made.requests)}`);
      return made;
    },
    { what: `the report of ${subject}`, within: 60_000, every: 200 },
  );
}

/** Promotes until default traffic is shared, and waits until the proxy knows. */
async function share(service: string): Promise<void> {
  await reportOf(service, ({ rollout }) => rollout.state === 'Paused');
  await site().ok('promote', service, '--reason', 'the test');
  await eventually(async () => (await site().version(service, 'v2'))?.weight === 50, { within: 20_000 });
  await site().inSync(`${service}-gateway`);
}

test('a rollout under traffic: its report has every request that was sent, as text, JSON and a page', async () => {
  const { session, deploy } = await serviceBehindEnvoy('counted');
  await deploy('v2');
  await share('counted');
  const shared = await send(session, 200);
  const refused = await send(session, 3, { pin: 'v9' });
  await site().ok('promote', 'counted', '--full', '--reason', 'the test');

  const made = await reportOf(
    'counted',
    ({ rollout, requests }) => rollout.state === 'Succeeded' && requests.certainty.kind === 'Proved',
  );
  expect(made.requests.value).toBe(203);
  expect(made.impacted).toEqual({ value: 0, certainty: { kind: 'Proved' } });
  expect(made.refusals.value).toBe(refused['refused']);
  const byVersion = Object.fromEntries(
    made.byVersion
      .filter(({ route }) => route === 'Default')
      .map(({ version, requests }) => [version, requests]),
  );
  expect(byVersion).toEqual(shared);
  expect(Object.keys(shared).toSorted()).toEqual(['v1', 'v2']);
  expect(made.summary).toMatch(/^v2 succeeded after .*: none of 203 requests was hurt\.$/);
  expect(made.latency?.certainty).toEqual({ kind: 'Proved' });
  expect(made.decisions.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['Promote', 'PromoteFull']),
  );

  const text = await site().ok('report', made.rollout.id);
  expect(text).toContain('none of 203 requests was hurt');
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  const file = join(site().folder, 'report.html');
  await site().ok('report', 'counted', '--html', file);
  expect(parseMarkup(await readFile(file, 'utf8')).text).toContain('none of 203 requests was hurt');
  expect(
    await site().run('report', 'counted', '--html', join(site().folder, 'none', 'report.html')),
  ).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('--html'),
  });
}, 180_000);

test('a controller that is killed in the middle: the report says which time nobody counted', async () => {
  const { session, deploy } = await serviceBehindEnvoy('killed');
  await deploy('v2');
  await share('killed');
  await send(session, 20);
  await reportOf('killed', ({ requests }) => requests.value === 20);
  const from = Date.now();
  await site().controller.kill();
  expect(Object.keys(await send(session, 20)).toSorted()).toEqual(['v1', 'v2']);
  await site().controller.start();
  const to = Date.now();
  await site().inSync('killed-gateway');
  const { value: before = 0 } = (await report(site(), 'killed')).requests;
  await send(session, 20);
  const made = await reportOf('killed', ({ requests }) => (requests.value ?? 0) >= before + 20);
  // What had been saved before the kill is not lost, and what came in between is not invented.
  expect(made.requests.value).toBeLessThanOrEqual(60);
  expect(made.requests.certainty.kind).toBe('Sampled');
  const why = made.requests.certainty.kind === 'Sampled' ? made.requests.certainty.why : '';
  const [, begun = '', ended = ''] =
    /nobody counted from (\S+) UTC to (\S+) UTC, because no controller listened/.exec(why) ?? [];
  const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);
  expect(begun <= clock(from) && ended >= clock(to)).toBe(true);
  expect(made.summary).toContain('as far as is known');
  await site().ok('abort', 'killed', '--yes', '--reason', 'the test');
}, 180_000);

test('a proxy that has to drop reports is never called proved', async () => {
  const { session, envoy, deploy } = await serviceBehindEnvoy('flooded');
  await deploy('v2');
  await share('flooded');
  await send(session, 10);
  await reportOf('flooded', ({ requests }) => requests.value === 10);
  const { pid = 0 } = site().controller;
  process.kill(pid, 'SIGSTOP');
  try {
    // Reports of 40 KB each fill the buffers between the two.
    for (let round = 0; round < 20; round += 1) await send(session, 50, { path: `/${'x'.repeat(40_000)}` });
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await send(session, 10);
  const made = await reportOf('flooded', ({ requests }) => (requests.value ?? 0) > 20);
  expect(await envoy.stat('access_logs.grpc_access_log.logs_dropped')).toBeGreaterThan(0);
  expect(made.requests.certainty).toEqual({
    kind: 'Sampled',
    why: expect.stringContaining('it made reports faster than they could be sent'),
  });
}, 180_000);

test('what there is no report of is told, with what there is', async () => {
  expect(await site().run('report', 'nobody')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('nobody has had no rollout yet'),
  });
  expect(await site().run('report', 'counted_v9_1')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/no rollout counted_v9_1.*the last ones: .*counted_v2_/),
  });
}, 30_000);
