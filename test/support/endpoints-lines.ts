/**
 * A parser of address lists for tests of the adapter alone, so that they do not depend on the real file format: one
 * line `VERSION HOST:PORT …` for each version; a line that begins with `!` is an error, one with `?` a warning.
 */
import type { EndpointsFileParser, FileProblem } from '../../src/adapters/endpoints/followed-file.ts';
import { versionName } from '../../src/model/names.ts';
import type { EndpointsVersion, SocketAddress } from '../../src/model/spec.ts';

export const parseLines: EndpointsFileParser = ({ file, text }) => {
  const versions: EndpointsVersion[] = [];
  const problems: FileProblem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [first = '', ...rest] = line.split(' ');
    if (first === '') continue;
    if (first.startsWith('!') || first.startsWith('?')) {
      const severity = first.startsWith('!') ? 'error' : 'warning';
      problems.push({ severity, file, line: index + 1, field: 'versions', message: rest.join(' ') });
    } else {
      versions.push({ name: versionName(first), addresses: rest.map(toAddress) });
    }
  }
  return { versions, problems };
};

function toAddress(text: string): SocketAddress {
  const [host = '', port = ''] = text.split(':');
  return { host, port: Number(port) };
}
