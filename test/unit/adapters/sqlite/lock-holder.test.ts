/** The holder of a lock is found in the kernel's list by the inode of the file. */
import { expect, test } from 'vitest';
import { findHolder } from '../../../../src/adapters/sqlite/lock-holder.ts';

const LOCKS = `1: POSIX  ADVISORY  READ  100 fe:00:42 128 128
2: FLOCK  ADVISORY  WRITE 200 fe:00:42 0 EOF
3: POSIX  ADVISORY  WRITE 300 fe:00:4242 0 EOF
4: POSIX  ADVISORY  WRITE 400 fe:00:42 1073741824 1073742335
4: -> POSIX  ADVISORY  WRITE 500 fe:00:43 0 EOF
6: POSIX  ADVISORY  WRITE 0 fe:00:44 0 EOF
`;

test('the process with the write lock on the inode is named, no reader and no other file', () => {
  expect(findHolder(LOCKS, 42)).toBe(400);
  expect(findHolder(LOCKS, 4242)).toBe(300);
});

test('one that waits, one in another container and none at all stay unknown', () => {
  expect(findHolder(LOCKS, 43)).toBeUndefined();
  expect(findHolder(LOCKS, 44)).toBeUndefined();
  expect(findHolder(LOCKS, 45)).toBeUndefined();
  expect(findHolder('', 42)).toBeUndefined();
});
