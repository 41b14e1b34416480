/**
 * A TCP port on loopback that nobody has right now, for programs that cannot take port 0. Not of those from which Linux takes the
 * ports of outgoing connections: one of these may be taken by the next connection that anybody makes.
 */
import { freePortRange } from './system/ports.ts';

export function freePort(): Promise<number> {
  return freePortRange(1);
}
