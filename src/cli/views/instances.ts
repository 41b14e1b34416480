/** One instance on one line. Pure. */
import { INSTANCE_STATE, wordOf } from '../../admin/enums.ts';
import type { Instance } from '../../gen/switchyard/admin/v1/resources_pb.js';
import { visible } from '../../model/text.ts';
import type { Paint } from '../shell.ts';

/** Id, address, state; restarts where there were some, and why where it is not ready. */
export function instanceText(paint: Paint, { id, address, state, reason, restarts }: Instance): string {
  const word = wordOf(INSTANCE_STATE, state);
  const shown = word === 'Ready' ? paint.good(word) : word === 'Failed' ? paint.bad(word) : paint.busy(word);
  const again = restarts > 0 ? `  ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}` : '';
  const why = word === 'Ready' ? '' : `  ${visible(reason)}`;
  return `${visible(id)}  ${visible(address)}  ${shown}${again}${why}`;
}
