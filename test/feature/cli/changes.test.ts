/** The verbs that change something, against a real controller: what they say and how they exit. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { type Finished, runCli, startCli } from '../../support/admin/cli.ts';
import {
  applyManager,
  change,
  managerDocument,
  startTestController,
  type TestController,
  until,
} from '../../support/admin/controller.ts';
import { runHere } from '../../support/admin/here.ts';
import { startRelay } from '../../support/admin/relay.ts';

let controller: TestController;
beforeEach(async () => {
  controller = await startTestController();
  await applyManager(controller);
});
afterEach(() => controller.close());

function cli(...args: string[]): Promise<Finished> {
  return runHere([...args, '--server', controller.server]);
}

describe('an accepted change', () => {
  test('is one line that says what was done and where it is, and exits with 0', async () => {
    controller.proxies.connect('gateway', 'prompt');
    const { code, stdout, stderr } = await cli('flip', 'manager', 'v2', '--reason', 'v2 is fine');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^manager: .*v2.* \(publication \d+; on 1 proxy in \d+ms\)\n$/);
    expect(controller.primary()).toBe('v2');
  });

  test('says so where no proxy is connected', async () => {
    expect((await cli('flip', 'manager', 'v2')).stdout).toMatch(/; no proxy is connected\)\n$/);
  });

  test('that is not yet everywhere exits with 4, names the stragglers, and is committed', async () => {
    controller.proxies.connect('prompt', 'prompt');
    controller.proxies.connect('slow', 'slow');
    const args = ['flip', 'manager', 'v2', '--wait', '50ms', '--server', controller.server];
    const { code, stdout, stderr } = await runCli(args);
    expect(code).toBe(4);
    expect(stdout).toMatch(/committed, not yet everywhere: on 1 proxy\)\n$/);
    expect(stderr).toMatch(/^ {2}slow: Behind, at publication 0/);
    expect(controller.primary()).toBe('v2');
  });

  test('that need not wait exits with 0', async () => {
    controller.proxies.connect('slow', 'slow');
    expect((await cli('flip', 'manager', 'v2', '--wait', '0')).code).toBe(0);
  });

  test('in a dry run says so and changes nothing', async () => {
    const { code, stdout } = await cli('set-weight', 'manager', 'v2', '10%', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\(dry run\) manager: .*10/);
    expect(
      (await controller.client.call('getService', { name: 'manager' })).service?.traffic?.kind.case,
    ).toBe('steady');
  });

  test('as JSON is the result of the API, and as a name the service', async () => {
    const json = await cli('flip', 'manager', 'v2', '-o', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      service: { name: 'manager' },
      convergence: { state: 'CONVERGENCE_STATE_EVERYWHERE' },
    });
    expect((await cli('rollback', 'manager', '-o', 'name')).stdout).toBe('service/manager\n');
  });

  test('is audited with who asked and why', async () => {
    await cli('undo', 'manager', '--to', 'v2', '--reason', 'v1 is slow', '--actor', 'grace');
    const { events } = await controller.client.call('listEvents', {});
    expect(events).toContainEqual(expect.objectContaining({ actor: 'grace', reason: 'v1 is slow' }));
  });

  test('without --actor is audited as user@host', async () => {
    await cli('flip', 'manager', 'v2');
    const { events } = await controller.client.call('listEvents', {});
    expect(events.find(({ action }) => action === 'Flip')?.actor).toMatch(/^ada@./);
  });

  test('keeps a tenant on a version, and lets it go', async () => {
    await cli('hold', 'manager', 'acme', 'v2', '--for', '24h', '--reason', 'not ready');
    expect((await cli('get', 'holds')).stdout).toMatch(/^manager +acme +v2 +2[34]h +ada@\S+ +not ready$/m);
    expect((await cli('release', 'manager', 'acme')).code).toBe(0);
    const none = await cli('get', 'holds');
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: 'no holds\n' });
  });
});

describe('a refused change', () => {
  test('exits with 1 and says why', async () => {
    const { code, stdout, stderr } = await cli('rollback', 'manager');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: manager has no previous version/);
  });

  test('of the loser of a race names both generations', async () => {
    const { code, stderr } = await cli('flip', 'manager', 'v2', '--expected-generation', '1');
    expect(code).toBe(1);
    expect(stderr).toMatch(/expected generation 1, found \d+/);
  });

  test('of wrong input exits with 2', async () => {
    expect(await cli('flip', 'manager', 'V2')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/version/),
    });
  });

  test('of a version with open work lists that work and names the flag that overrides', async () => {
    await cli('flip', 'manager', 'v2');
    await cli('drain', 'manager', 'v1', '--give-up-rollback');
    const asOf = instant(Date.now());
    controller.work = {
      kind: 'counted',
      asOf,
      total: 1,
      open: [{ kind: 'stream', id: 's-1', instance: 'v1-a' }],
      certificate: 'observed',
    };
    const refused = await cli('retire', 'manager', 'v1', '--yes');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('--waive-open-work');
    expect(refused.stderr).toContain('  open stream s-1 on v1-a\n');
    const work = await cli('get', 'work', 'manager', 'v1');
    expect(work.stdout).toMatch(
      /^KIND +ID +INSTANCE +AGE\nstream +s-1 +v1-a +-\n1 open on manager v1, counted \d+m?s ago\n$/,
    );
    const waived = await cli(
      'retire',
      'manager',
      'v1',
      '--yes',
      '--waive-open-work',
      '--reason',
      'they agreed',
    );
    expect(waived.code).toBe(0);
  });

  test.each([
    ['retire', ['retire', 'manager', 'v1']],
    ['delete', ['delete', 'service', 'manager']],
    ['down', ['down']],
  ])('%s asks first, so without a terminal it needs --yes', async (_, args) => {
    const { code, stderr } = await cli(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/[?.] Nobody can be asked here: say --yes\./);
    expect(controller.operations.services()).toHaveLength(1);
    expect(controller.downs).toBe(0);
  });

  test('delete and down go ahead with --yes', async () => {
    expect((await cli('delete', 'service', 'manager', '--yes')).code).toBe(0);
    expect(controller.operations.services()).toEqual([]);
    expect((await cli('down', '-y')).stdout).toBe('stopped 0 instances and the controller\n');
    expect(controller.downs).toBe(1);
  });

  test('by a connection that breaks does not claim that nothing happened', async () => {
    controller.proxies.connect('slow', 'slow');
    const publications = controller.proxies.published.length;
    const relay = await startRelay(join(controller.folder, 'relay.sock'), controller.socket);
    const running = startCli(['flip', 'manager', 'v2', '--server', relay.server]);
    await until(controller.operations, () => controller.proxies.published.length > publications);
    relay.cut();
    const { code, stderr } = await running.finished;
    expect(code).toBe(1);
    expect(stderr).toContain('the change may be committed');
    expect(controller.primary()).toBe('v2');
  });
});

describe('apply', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchyard-apply-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('in a dry run shows the diff and which streams would be cut', async () => {
    const file = join(folder, 'manager.yaml');
    await writeFile(file, managerDocument('v2', 10_001));
    const { code, stdout } = await cli('apply', '-f', file, '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toBe(`service/manager changed (dry run)
  - spec.listeners[gateway].port: 10000
  + spec.listeners[gateway].port: 10001
  ! cuts streams: listener gateway moves from 127.0.0.1:10000 to 127.0.0.1:10001
`);
  });

  test('reads several files and standard input, and says what became of each service', async () => {
    const file = join(folder, 'manager.yaml');
    await writeFile(file, managerDocument('v2'));
    const other = managerDocument('v1', 10_009)
      .replace('name: manager', 'name: other')
      .replace('name: gateway', 'name: side');
    const { code, stdout } = await runHere(['apply', '-f', file, '-f', '-', '--server', controller.server], {
      input: other,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^service\/manager unchanged\nservice\/other created \(publication \d+; no proxy is connected\)\n/,
    );
  });

  test('of a broken document exits with 2, lists every fault with its place, and applies nothing', async () => {
    const text = managerDocument('v2').replace('port: 10000', 'port: 99999').replace('pin:', 'pinn:');
    const { code, stdout, stderr } = await runHere(['apply', '-f', '-', '--server', controller.server], {
      input: text,
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: nothing was applied/);
    expect(stderr).toMatch(/^ {2}<stdin>:10:13: error: spec\.listeners\[0\]\.port: /m);
    expect(stderr).toMatch(/^ {2}<stdin>:\d+:\d+: error: .*pinn/m);
  });

  test('compares the generation that was read', async () => {
    const args = ['apply', '-f', '-', '--server', controller.server, '--expected-generation', 'manager=1'];
    const { code, stderr } = await runHere(args, { input: managerDocument('v1') });
    expect(code).toBe(1);
    expect(stderr).toMatch(/expected generation 1, found \d+/);
  });

  test('takes back what get spec printed', async () => {
    const { stdout } = await cli('get', 'spec', change.service);
    expect(stdout).toBe(managerDocument('v2'));
  });
});
