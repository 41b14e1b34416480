/** What is different on a terminal: questions, colours, views that are redrawn in place. */
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { type Running, startOnTerminal, terminalLack } from '../../support/admin/cli.ts';
import {
  applyManager,
  change,
  PATIENCE,
  startTestController,
  type TestController,
} from '../../support/admin/controller.ts';
import { notRun } from '../../support/not-run.ts';

const ESCAPE = '\u001b[';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
let controller: TestController;
beforeEach(async (context) => {
  const lack = terminalLack();
  if (lack !== undefined) notRun(context.task.name, lack);
  controller = await startTestController();
  await applyManager(controller);
});
afterEach(() => controller?.close());

function terminal(args: string[], env: Record<string, string> = {}): Running {
  return startOnTerminal([...args, '--server', controller.server], { env });
}

describe('a verb that loses something', () => {
  test('asks, and goes ahead on yes', async () => {
    const running = terminal(['delete', 'service', 'manager']);
    await expect.poll(running.output, PATIENCE).toMatch(/Delete service manager\?.*\[y\/N\] $/);
    running.type('y\r');
    expect((await running.finished).code).toBe(0);
    expect(controller.operations.services()).toEqual([]);
  });

  test.each(['n\r', '\r', 'what\r', CTRL_D])('changes nothing on %j', async (answer) => {
    const running = terminal(['down']);
    await expect.poll(running.output, PATIENCE).toMatch(/\[y\/N\] $/);
    running.type(answer);
    expect(await running.finished).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('nothing was changed'),
    });
    expect(controller.downs).toBe(0);
  });
});

describe('a verb that moves traffic back', () => {
  beforeEach(async () => {
    await controller.client.call('flip', { change, version: 'v2' });
  });

  test('shows a person first whom it would touch, and asks', async () => {
    controller.work = {
      kind: 'counted',
      asOf: instant(Date.now()),
      total: 3,
      open: [],
      certificate: 'observed',
    };
    const running = terminal(['rollback', 'manager']);
    await expect
      .poll(running.output, PATIENCE)
      .toMatch(/ {2}- all default traffic leaves v2\r?\n {2}- 3 open on v2 .*\r?\n.* back\? \[y\/N\] $/s);
    expect(controller.primary()).toBe('v2');
    running.type('y\r');
    expect((await running.finished).code).toBe(0);
    expect(controller.primary()).toBe('v1');
  });

  test('does not ask with --yes', async () => {
    expect((await terminal(['rollback', 'manager', '--yes']).finished).code).toBe(0);
    expect(controller.primary()).toBe('v1');
  });
});

describe('colours', () => {
  test('are there on a terminal', async () => {
    const { code, stdout } = await terminal(['get', 'versions']).finished;
    expect(code).toBe(0);
    expect(stdout).toContain(`${ESCAPE}32m`);
  });

  test.each<[string, string[], Record<string, string>]>([
    ['--no-color', ['--no-color'], {}],
    ['NO_COLOR', [], { NO_COLOR: '1' }],
  ])('are not there with %s', async (_, args, env) => {
    const { stdout } = await terminal(['get', 'versions', ...args], env).finished;
    expect(stdout).toContain('Primary');
    expect(stdout).not.toContain(ESCAPE);
  });
});

describe('a watch', () => {
  test('is redrawn in place, and ends with Ctrl-C without an error', async () => {
    const running = terminal(['get', 'services', '-w']);
    await expect.poll(running.output, PATIENCE).toMatch(/manager +v2 +v1 /);
    await controller.client.call('flip', { change, version: 'v2' });
    await expect.poll(running.output, PATIENCE).toMatch(/manager +v2 +v2 /);
    // Two lines up, then each line is written over and the rest of it erased: nothing is blank in between.
    const [, redrawn = ''] = running.output().split(`${ESCAPE}2A`);
    const [headings, row, rest] = redrawn.replaceAll('\r\n', '\n').split('\n');
    expect(headings).toMatch(/^\rNAME /);
    expect(headings?.endsWith(`${ESCAPE}K`)).toBe(true);
    expect(row).toMatch(/^\rmanager /);
    expect(rest?.startsWith(`${ESCAPE}J`)).toBe(true);
    running.type(CTRL_C);
    expect((await running.finished).code).toBe(0);
  });

  test('of a rollout fits the terminal and is redrawn from its first line', async () => {
    const running = terminal(['get', 'rollout', 'manager', '-w']);
    await expect.poll(running.output, PATIENCE).toMatch(/॥.*Paused/);
    await controller.client.call('promoteRollout', { change });
    await expect.poll(running.output, PATIENCE).toMatch(/✔.*Succeeded/);
    running.type(CTRL_C);
    expect((await running.finished).code).toBe(0);
    const frames = running.output().split(`${ESCAPE}?7l`).slice(1);
    const heights = frames.map((frame) => frame.split(`${ESCAPE}K`).length - 1);
    const wayBack = frames.map((frame) =>
      frame.startsWith(ESCAPE) ? Number.parseInt(frame.slice(ESCAPE.length), 10) : 0,
    );
    expect(wayBack).toEqual([0, ...heights.slice(0, -1)]);
    expect(Math.max(...heights)).toBeLessThan(24);
    const lines = frames.flatMap((frame) => frame.split(/\r?\n/)).map(stripVTControlCharacters);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(81);
  });

  test('cuts lines at the width of the terminal', async () => {
    await controller.client.call('setWeight', {
      change: { ...change, reason: 'x'.repeat(200) },
      version: 'v2',
      weight: 10,
    });
    const { stdout } = await terminal(['get', 'events', '--no-color']).finished;
    expect(stdout).toMatch(/…\r?\n/);
    expect(Math.max(...stdout.split(/\r?\n/).map(({ length }) => length))).toBe(80);
  });
});
