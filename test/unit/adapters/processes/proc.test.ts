/** What is read from /proc, by the text that the kernel writes. */
import { expect, test } from 'vitest';
import {
  type Listener,
  parseListeners,
  reachedByLoopback,
} from '../../../../src/adapters/processes/listeners.ts';
import { parseStat } from '../../../../src/adapters/processes/proc.ts';

const STAT_TAIL =
  'S 1 4242 4242 0 -1 4194560 1000 0 0 0 5 3 0 0 20 0 11 0 987654 1234567 890 18446744073709551615 0 0 0';

test('state, session and start time of a process are read', () => {
  expect(parseStat(`4242 (node) ${STAT_TAIL}`)).toEqual({
    pid: 4242,
    state: 'S',
    session: 4242,
    startTime: 987_654,
  });
});

test.each(['a b', 'a) S 1 2 3', '(x', ') Z 9 9 9 ', ''])(
  'a process may be named %j without confusing the reader',
  (name) => {
    expect(parseStat(`4242 (${name}) ${STAT_TAIL}`)).toMatchObject({
      state: 'S',
      session: 4242,
      startTime: 987_654,
    });
  },
);

test.each(['', 'x', '1 (a) S 1'])('text that is no stat line, like %j, is nothing', (text) => {
  expect(parseStat(text)).toBeUndefined();
});

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2329 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11111 1 0 100 0 0 10 0
   1: 00000000:232A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22222 1 0 100 0 0 10 0
   2: 0100007F:2329 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 33333 1 0 20 4 30 10 -1
`;

test('only sockets that listen are listed', () => {
  expect(parseListeners(TCP)).toEqual([
    { address: '0100007F', port: 9001, inode: '11111' },
    { address: '00000000', port: 9002, inode: '22222' },
  ]);
});

function listener(address: string, inode: string): Listener {
  return { address, port: 9001, inode };
}
const LOOPBACK = listener('0100007F', 'loopback');
const ANY = listener('00000000', 'any');
const ANY_V6 = listener('0'.repeat(32), 'any-v6');
const MAPPED = listener('0000000000000000FFFF00000100007F', 'mapped');

test('a connection to 127.0.0.1 goes to the socket that is bound to it before one that is bound to any address', () => {
  expect(reachedByLoopback([ANY_V6, ANY, LOOPBACK])).toEqual([LOOPBACK]);
  expect(reachedByLoopback([ANY_V6, ANY])).toEqual([ANY]);
  expect(reachedByLoopback([ANY_V6])).toEqual([ANY_V6]);
  expect(reachedByLoopback([MAPPED, ANY])).toEqual([MAPPED]);
});

test('sockets on other addresses are not reached', () => {
  expect(reachedByLoopback([listener('0200007F', 'other'), listener('0100000A', 'lan')])).toEqual([]);
});

test('sockets that share a port are all reached', () => {
  expect(reachedByLoopback([ANY, listener('00000000', 'twin')])).toHaveLength(2);
});
