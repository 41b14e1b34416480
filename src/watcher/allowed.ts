/** What a customer's policy says of a version and of where its artifact comes from. Pure. */
import type { Artifact } from '../model/goal-state.ts';
import type { WatcherPolicy } from '../model/watcher.ts';

/** Why the policy refuses an artifact; undefined where it does not. */
export function refusalOf(artifact: Artifact, policy: WatcherPolicy): string | undefined {
  const { version, url, size } = artifact;
  if (!policy.allowedVersions.some((pattern) => matches(pattern, version))) {
    return `the customer's policy allows versions ${policy.allowedVersions.join(', ')}, not ${version}`;
  }
  const host = hostOf(url);
  if (host === undefined) return `its artifact's address ${JSON.stringify(url)} is not http, https or file`;
  if (!isHostAllowed(host, policy)) {
    return `the customer's policy allows artifacts from ${policy.allowedHosts.join(', ') || 'nowhere'}, not from ${host}`;
  }
  const { artifact: largest } = policy.limits;
  return size > largest
    ? `its artifact has ${size} bytes, and the customer's policy allows ${largest}`
    : undefined;
}

/** Whether artifacts may come from a host; files are of `localhost`. */
export function isHostAllowed(host: string, { allowedHosts }: WatcherPolicy): boolean {
  return allowedHosts.some(
    (pattern) =>
      pattern === '*' || pattern === host || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1))),
  );
}

/** The host of an address that may be fetched; undefined where it may not. */
export function hostOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, username } = new URL(url);
  if (username !== '') return undefined;
  if (protocol === 'file:') return hostname === '' ? 'localhost' : undefined;
  return protocol === 'http:' || protocol === 'https:' ? hostname : undefined;
}

/** `*` stands for any characters. Without regular expressions: a pattern must not be able to take long. */
function matches(pattern: string, version: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === version;
  const last = rest.pop() ?? '';
  if (!version.startsWith(first) || !version.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = version.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= version.length - last.length;
}
