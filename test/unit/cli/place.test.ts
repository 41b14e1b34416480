/** Which controller is meant: the command line goes before the environment, and two ways at once are refused. */
import { describe, expect, test } from 'vitest';
import { placeOf, placeText } from '../../../src/cli/place.ts';

type Words = Readonly<Record<string, string>>;

function place(options: Words, env: Words = {}) {
  return placeOf({ options, shell: { env: { HOME: '/home/ada', ...env } } } as never);
}

describe('the way to a controller', () => {
  test.each<[string, Words, Words, object]>([
    [
      'nothing is said: the default socket',
      {},
      { XDG_STATE_HOME: '/s' },
      { server: 'unix:/s/switchyard/admin.sock' },
    ],
    ['an address', { server: '10.0.0.1:18001' }, {}, { server: '10.0.0.1:18001' }],
    ['a context', { context: 'prod' }, {}, { cluster: { context: 'prod' } }],
    ['a namespace of the current context', { namespace: 'shop' }, {}, { cluster: { namespace: 'shop' } }],
    [
      'the environment fills in what flags leave out',
      { namespace: 'shop' },
      { SWITCHYARD_CONTEXT: 'prod', SWITCHYARD_NAMESPACE: 'other' },
      { cluster: { context: 'prod', namespace: 'shop' } },
    ],
    ['a cluster by the environment', {}, { SWITCHYARD_KUBECONFIG: '/k' }, { cluster: { kubeconfig: '/k' } }],
    [
      'an address on the command line goes before a cluster in the environment',
      { server: '/run/admin.sock' },
      { SWITCHYARD_CONTEXT: 'prod' },
      { server: 'unix:/run/admin.sock' },
    ],
    [
      'a cluster on the command line goes before an address in the environment',
      { context: 'prod' },
      { SWITCHYARD_SERVER: '10.0.0.1:18001' },
      { cluster: { context: 'prod' } },
    ],
    ['KUBECONFIG alone chooses nothing', {}, { KUBECONFIG: '/k', XDG_STATE_HOME: '/s' }, { kind: 'direct' }],
    ['what is empty is not said', { context: '' }, { SWITCHYARD_SERVER: 'host:1' }, { server: 'host:1' }],
  ])('%s', (_, options, env, expected) => {
    expect(place(options, env)).toMatchObject(expected);
  });

  test('two ways on the command line, or two in the environment, are refused by name', () => {
    expect(() => place({ server: 'host:1', context: 'prod' })).toThrow(
      /^--server and --context name two ways to a controller/,
    );
    expect(() => place({}, { SWITCHYARD_SERVER: 'host:1', SWITCHYARD_NAMESPACE: 'shop' })).toThrow(
      /^SWITCHYARD_SERVER and SWITCHYARD_NAMESPACE name two ways/,
    );
  });

  test('is told in messages as it was chosen', () => {
    expect(placeText(place({ server: 'host:1' }))).toBe('host:1');
    expect(placeText(place({ context: 'prod', namespace: 'shop' }))).toBe('namespace shop of context prod');
    expect(placeText(place({ kubeconfig: '/k' }))).toBe('the namespace of the current context of /k');
  });
});
