/** What the document of a watcher may not say, beside what the rules of all fields hold. */
import { expect, test } from 'vitest';
import { parseWatcher } from '../../../src/spec/parse-watcher.ts';

const problemsOf = (dataFolder: string) => {
  const spec = {
    id: 'box-1',
    service: 'manager',
    tenant: 'acme',
    controller: { address: '127.0.0.1:18003' },
    publicKeyFiles: ['/etc/release.pub'],
    dataFolder,
  };
  const text = JSON.stringify({ apiVersion: 'switchyard.dev/v1alpha1', kind: 'Watcher', spec });
  return parseWatcher({ file: 'watcher.yaml', text }).problems.map(({ message }) => message);
};

test('a data folder is short enough for the socket in it, counted in bytes', () => {
  expect(problemsOf(`/${'d'.repeat(93)}`)).toEqual([]);
  const tooLong = 'must be at most 94 bytes long';
  expect(problemsOf(`/${'d'.repeat(94)}`)).toEqual([expect.stringContaining(tooLong)]);
  expect(problemsOf(`/${'é'.repeat(47)}`)).toEqual([expect.stringContaining(tooLong)]);
});
