// A tool is taken from its variable, else from PATH, else from .tools/; what cannot be used says how to mend it.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findTool } from '../../../scripts/tools.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-tools-'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function program(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('the variable is taken before PATH', () => {
  program('envoy', '');
  vi.stubEnv('PATH', folder);
  vi.stubEnv('ENVOY_BIN', program('other-envoy', ''));
  expect(findTool('envoy')).toEqual({ kind: 'found', path: join(folder, 'other-envoy') });
});

test('a variable that names no program is not passed over in silence', () => {
  vi.stubEnv('ENVOY_BIN', join(folder, 'nothing'));
  expect(findTool('envoy')).toEqual({ kind: 'missing', why: expect.stringContaining('unset ENVOY_BIN') });
});

test('without the variable the first on PATH is taken', () => {
  vi.stubEnv('ENVOY_BIN', '');
  vi.stubEnv('PATH', `/nonexistent:${folder}`);
  const path = program('envoy', '');
  expect(findTool('envoy')).toEqual({ kind: 'found', path });
});

test('a Go older than 1.24 is passed over', () => {
  vi.stubEnv('GO_BIN', '');
  vi.stubEnv('PATH', folder);
  program('go', 'echo go version go1.23.9 linux/amd64');
  expect(findTool('go')).not.toMatchObject({ path: join(folder, 'go') });
  program('go', 'echo go version go1.24.1 linux/amd64');
  expect(findTool('go')).toEqual({ kind: 'found', path: join(folder, 'go') });
});

test('Prometheus and promtool that are missing say how to get them', () => {
  vi.stubEnv('PROMETHEUS_BIN', join(folder, 'nothing'));
  expect(findTool('prometheus')).toEqual({
    kind: 'missing',
    why: expect.stringContaining('unset PROMETHEUS_BIN'),
  });
  vi.stubEnv('PROMTOOL_BIN', program('other-promtool', ''));
  expect(findTool('promtool')).toEqual({ kind: 'found', path: join(folder, 'other-promtool') });
});

test('POSTGRES_BIN names the folder of postgres and initdb', () => {
  program('postgres', '');
  vi.stubEnv('POSTGRES_BIN', folder);
  expect(findTool('postgres')).toEqual({
    kind: 'missing',
    why: expect.stringContaining('unset POSTGRES_BIN'),
  });
  program('initdb', '');
  expect(findTool('postgres')).toEqual({ kind: 'found', path: join(folder, 'postgres') });
});
