/**
 * The files that our Dockerfiles copy are enough: the images run in a bare root with nothing but these files and Node, which
 * they cannot write to, as a user who is not root. docs/kubernetes.md says what this does not show.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { isIgnored } from '../../scripts/image/dockerfile.ts';
import { freePort } from '../support/free-port.ts';
import { type BuiltImage, type BuiltImages, builtImages, putProgram } from '../support/image.ts';

const made = new Map<string, BuiltImages>();
afterAll(() => {
  for (const images of made.values()) images.remove();
});

function stageOf(dockerfile: string, name: string): BuiltImage {
  const images = made.get(dockerfile) ?? builtImages(dockerfile);
  made.set(dockerfile, images);
  return images.stage(name);
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

describe('the image of the controller', { timeout: 600_000 }, () => {
  let image: BuiltImage;
  beforeEach(() => {
    if (made.size === 0) execFileSync('bash', ['scripts/build.sh'], { stdio: 'pipe' });
    image = stageOf('Dockerfile', 'last');
  }, 600_000);

  test('says its version', async () => {
    expect(await image.run(['--version'])).toBe(`${version}\n`);
  });

  test('prints the manifests that install it', async () => {
    const documents = parseAllDocuments(await image.run(['install', '--with-gateway']));
    expect(documents.length).toBeGreaterThan(10);
  });

  test('serves from an empty store, on the ports that it is told', async () => {
    const ports = { xds: await freePort(), http: await freePort(), admin: await freePort() };
    const data = '/var/lib/switchyard';
    const controller = await image.start(
      [
        'controller',
        `--data-dir=${data}`,
        `--xds-address=127.0.0.1:${ports.xds}`,
        `--http-address=127.0.0.1:${ports.http}`,
        `--admin-address=127.0.0.1:${ports.admin}`,
        '--accept-empty',
      ],
      [data, '/tmp'],
    );
    try {
      await controller.until(
        'readiness',
        async () => (await fetch(`http://127.0.0.1:${ports.http}/readyz`)).ok,
      );
      const answer = await image.run(['--server', `127.0.0.1:${ports.admin}`, 'version', '-o', 'json']);
      expect(answer).toContain(`"${version}"`);
    } finally {
      await controller.stop();
    }
    expect(await controller.ended).toBe('code 0');
  });

  test('holds no more than it needs', () => {
    const { root } = image.image;
    expect(existsSync(join(root, 'app/dist/main.js'))).toBe(true);
    for (const path of [
      'app/src',
      'app/test',
      'app/node_modules/vitest',
      'app/node_modules/node',
      'bin/sh',
    ]) {
      expect([path, existsSync(join(root, path))]).toEqual([path, false]);
    }
  });

  test('is read-only for its user, who is not root', async () => {
    const node = image.image.entrypoint[0] ?? '';
    const program = putProgram(
      image,
      'who.mjs',
      `import { writeFileSync } from 'node:fs';
       const tries = ['/app/dist/main.js', '/app/new', '/tmp/new'].map((path) => {
         try { writeFileSync(path, ''); return 'written'; } catch (error) { return error.code; }
       });
       console.log(JSON.stringify({ uid: process.getuid(), tries }));`,
    );
    expect(JSON.parse(await image.runProgram([node, program]))).toEqual({
      uid: 65_532,
      tries: ['EROFS', 'EROFS', 'EROFS'],
    });
  });
});

describe('the images of the examples', { timeout: 600_000 }, () => {
  test('the manager serves its version', async () => {
    const image = stageOf('examples/Dockerfile', 'manager');
    const port = await freePort();
    const manager = await image.start(['--version', 'v1', '--port', String(port)], []);
    try {
      await manager.until('an answer', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok);
    } finally {
      await manager.stop();
    }
    expect(await manager.ended).toBe('code 0');
  });

  test('the delegate starts, and says what it lacks', async () => {
    const image = stageOf('examples/Dockerfile', 'delegate');
    await expect(image.run([])).rejects.toThrow(/usage: main\.ts --version NAME --tenant TENANT/);
  });
});

test('the build context has nothing but what is copied', () => {
  const ignore = readFileSync('.dockerignore', 'utf8');
  const kept = globSync('*', { exclude: (name) => ['.git', 'node_modules'].includes(name) }).filter(
    (name) => !isIgnored(ignore, name),
  );
  expect(kept.toSorted()).toEqual(
    ['LICENSE', 'dist', 'examples', 'package-lock.json', 'package.json', 'src'].filter((name) =>
      existsSync(name),
    ),
  );
  expect(isIgnored(ignore, 'manifests/kubernetes/base/role.yaml')).toBe(false);
  expect(isIgnored(ignore, 'manifests/helm/switchyard/values.yaml')).toBe(true);
  expect(isIgnored(ignore, '.tools/bin/envoy')).toBe(true);
  expect(isIgnored(ignore, 'src/controller.log')).toBe(true);
});
