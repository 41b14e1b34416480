/** How far a change has come, in words; and the exit code that says it to scripts. */
import { durationMs } from '@bufbuild/protobuf/wkt';
import { STRAGGLER, wordOf } from '../../admin/enums.ts';
import {
  type Convergence,
  ConvergenceState,
  type Straggler,
} from '../../gen/switchyard/admin/v1/changes_pb.js';
import { visible } from '../../model/text.ts';
import { formatDuration } from '../duration.ts';
import { EXIT, type ExitCode } from '../exit.ts';

/** For the end of the line that says what was done; empty where nothing was published. */
export function convergenceText(convergence: Convergence | undefined): string {
  if (convergence === undefined || convergence.state === ConvergenceState.NOTHING_PUBLISHED) return '';
  const { publication, acknowledged, elapsed, state } = convergence;
  const proxies = acknowledged.length === 1 ? '1 proxy' : `${acknowledged.length} proxies`;
  if (state === ConvergenceState.EVERYWHERE) {
    return acknowledged.length === 0
      ? ` (publication ${publication}; no proxy is connected)`
      : ` (publication ${publication}; on ${proxies} in ${formatDuration(elapsed ? durationMs(elapsed) : 0)})`;
  }
  return ` (publication ${publication}; committed, not yet everywhere: on ${proxies})`;
}

/** Proxies that are told one by one; the JSON output has all. */
const LISTED = 10;

/** One line for each proxy that has not followed, the first few; those that are away will when they come back. */
export function stragglerLines(convergence: Convergence | undefined): string[] {
  const stragglers = convergence?.stragglers ?? [];
  const more = stragglers.length - LISTED;
  const lines = stragglers.slice(0, LISTED).map(stragglerLine);
  return more > 0 ? [...lines, `  and ${more} more`] : lines;
}

function stragglerLine({ proxy, kind, publication, message }: Straggler): string {
  const why = message === '' ? '' : `: ${message}`;
  return visible(`  ${proxy}: ${wordOf(STRAGGLER, kind)}, at publication ${publication}${why}`);
}

/** Not yet everywhere is its own code, unless the caller did not want to wait. */
export function convergenceExit(convergence: Convergence | undefined, wait: number): ExitCode {
  return convergence?.state === ConvergenceState.NOT_YET_EVERYWHERE && wait > 0
    ? EXIT.notYetEverywhere
    : EXIT.ok;
}
