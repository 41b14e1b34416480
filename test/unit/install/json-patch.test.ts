// JSON Patch, as far as kustomizations of ours use it.
import { expect, test } from 'vitest';
import { type PatchOperation, patched, valueAt } from '../../../src/install/json-patch.ts';

const value = { a: { 'b/c': [1, 2], 'd~e': 'f' }, list: [{ name: 'x' }, { name: 'y' }] };

test.each<[PatchOperation, unknown]>([
  [
    { op: 'add', path: '/a/g', value: 1 },
    { ...value, a: { ...value.a, g: 1 } },
  ],
  [
    { op: 'add', path: '/a/b~1c/1', value: 9 },
    { ...value, a: { ...value.a, 'b/c': [1, 9, 2] } },
  ],
  [
    { op: 'add', path: '/a/b~1c/-', value: 9 },
    { ...value, a: { ...value.a, 'b/c': [1, 2, 9] } },
  ],
  [
    { op: 'replace', path: '/a/d~0e', value: 'g' },
    { ...value, a: { ...value.a, 'd~e': 'g' } },
  ],
  [
    { op: 'replace', path: '/list/1/name', value: 'z' },
    { ...value, list: [{ name: 'x' }, { name: 'z' }] },
  ],
  [
    { op: 'remove', path: '/list/0' },
    { ...value, list: [{ name: 'y' }] },
  ],
  [{ op: 'remove', path: '/a' }, { list: value.list }],
  [{ op: 'test', path: '/list/0/name', value: 'x' }, value],
])('%j', (operation, result) => {
  const before = structuredClone(value);
  expect(patched(value, [operation])).toEqual(result);
  expect(value).toEqual(before);
});

test.each<[PatchOperation, string]>([
  [{ op: 'replace', path: '/nothing', value: 1 }, 'replace /nothing: there is no nothing'],
  [{ op: 'remove', path: '/list/2' }, 'remove /list/2: there is no 2'],
  [{ op: 'add', path: '/x/y', value: 1 }, 'add /x/y: there is no x'],
  [{ op: 'add', path: '/list/3', value: 1 }, 'add /list/3: the list has 2 elements, so there is no place 3'],
  [{ op: 'test', path: '/list/0/name', value: 'y' }, 'test /list/0/name: it is "x" and not "y"'],
  [{ op: 'add', path: 'a', value: 1 }, 'the path "a" must begin with a slash'],
  // What every object inherits is no field of it.
  [{ op: 'replace', path: '/constructor', value: 1 }, 'replace /constructor: there is no constructor'],
])('%j does not fit, and says why', (operation, message) => {
  expect(() => patched(value, [operation])).toThrow(message);
});

test('a value is looked up by a pointer', () => {
  expect(valueAt(value, '/list/1/name')).toBe('y');
  expect(valueAt(value, '/list/name')).toBeUndefined();
  expect(valueAt(value, '/list/0/name/more')).toBeUndefined();
});
