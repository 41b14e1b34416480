// On one machine nothing can be uninstalled but the package: the command says what to do, and asks no API server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { CliError, EXIT } from '../../../src/cli/exit.ts';
import { paintFor } from '../../../src/cli/shell.ts';
import { runUninstall } from '../../../src/run-uninstall.ts';

async function refusal(options: {
  readonly server?: string;
  readonly kubeconfig?: string;
}): Promise<CliError> {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough(), stdin: new PassThrough() };
  const shell = { ...streams, env: {} } as never;
  const context = {
    shell,
    options: { output: 'table' as const, color: false, ...options },
    paint: paintFor(shell, false),
    openTunnel: () => Promise.reject(new Error('no way through a cluster is asked for')),
  };
  return runUninstall(context, { timeout: 1_000, yes: true }).then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => {
      if (error instanceof CliError) return error;
      throw error;
    },
  );
}

test('a controller that is named by its address is told how to be stopped, and what goes on', async () => {
  const { exitCode, message, hints } = await refusal({ server: '127.0.0.1:18001' });
  expect([exitCode, message]).toEqual([
    EXIT.usage,
    'uninstall is for a namespace of Kubernetes, and 127.0.0.1:18001 is a controller',
  ]);
  expect(hints.join('\n')).toMatch(
    /instances that it started run on[\s\S]*switchyard down[\s\S]*data folder/,
  );
});

test('where no cluster can be had, both are told', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-uninstall-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { exitCode, message, hints } = await refusal({ kubeconfig: join(folder, 'none') });
  expect(exitCode).toBe(EXIT.usage);
  expect(message).toMatch(/the kubeconfig .*none cannot be read/);
  expect(hints.join('\n')).toMatch(/on one machine there is nothing to uninstall/);
});
