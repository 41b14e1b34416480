import { expect, test } from 'vitest';
import { hostOf, isHostAllowed, refusalOf } from '../../../src/watcher/allowed.ts';
import { artifact, policy } from '../../support/boxes.ts';

test.each([
  [['*'], 'v1', true],
  [['v1'], 'v1', true],
  [['v1'], 'v10', false],
  [['v4*'], 'v42', true],
  [['1.*.3'], '1.8.3', true],
  [['1.*.3'], '1.3', false],
  [['*-lts'], '1.8-lts', true],
  [['v1', 'v2*'], 'v23', true],
  [['*a*b*'], 'xaxbx', true],
  [['*a*b*'], 'xbxax', false],
])('the patterns %j let %s through: %s', (allowedVersions, version, isAllowed) => {
  expect(refusalOf(artifact(version), policy({ allowedVersions })) === undefined).toBe(isAllowed);
});

test.each([
  [['*'], 'releases.example.com', true],
  [['*.example.com'], 'releases.example.com', true],
  [['*.example.com'], 'example.com', false],
  [['*.example.com'], 'badexample.com', false],
  [['releases.example.com'], 'releases.example.com.evil.net', false],
  [[], 'releases.example.com', false],
])('the hosts %j let %s through: %s', (allowedHosts, host, isAllowed) => {
  expect(isHostAllowed(host, policy({ allowedHosts }))).toBe(isAllowed);
});

test('only http, https and files of this machine are fetched, and no address with a password', () => {
  expect(hostOf('https://example.com/a')).toBe('example.com');
  expect(hostOf('file:///srv/a')).toBe('localhost');
  for (const url of ['ftp://example.com/a', 'file://other/a', 'https://u:p@example.com/a', 'a', 'data:,x'])
    expect(hostOf(url)).toBeUndefined();
});

test('an artifact that is larger than the policy allows is refused by its signed size', () => {
  const limits = { niceness: 0, keepFree: 0, artifact: 10 };
  expect(refusalOf(artifact('v1', '0', { size: 11 }), policy({ limits }))).toContain('has 11 bytes');
  expect(refusalOf(artifact('v1', '0', { size: 10 }), policy({ limits }))).toBeUndefined();
});
