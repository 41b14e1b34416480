import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalizePath } from '../../../src/routing/path.ts';

describe('the normal form of a path', () => {
  test.each([
    ['/', '/'],
    ['/api/x?next=/../y', '/api/x'],
    ['/%61pi', '/api'],
    ['/api%2Fx', '/api%2Fx'],
    ['/public/../api', '/api'],
    ['/public/%2e%2E/api', '/api'],
    ['/../../api', '/api'],
    ['/api/.', '/api/'],
    ['/api/x/..', '/api/'],
    ['/a//../b', '/a/b'],
    ['/a\\b', '/a/b'],
    ['/.well-known/...', '/.well-known/...'],
    ['/a|b', '/a%7Cb'],
    ['/%zz', '/%zz'],
  ])('%s is %s', (path, normal) => {
    expect(normalizePath(path)).toBe(normal);
  });

  test.each(['/%00', '/a\0b', '/a#b'])('%j has none: proxies answer 400', (path) => {
    expect(normalizePath(path)).toBeUndefined();
  });

  test('of a normal form is itself', () => {
    const piece = fc.constantFrom('/', '/.', '/..', '/a', '/%61', '/%2e', '\\', 'é', '%2F');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const normal = normalizePath(`/${pieces.join('')}`) ?? '/';
        expect(normalizePath(normal)).toBe(normal);
        expect(normal).toMatch(/^\//);
        expect(normal.split('/')).not.toEqual(expect.arrayContaining(['..']));
      }),
    );
  });
});
