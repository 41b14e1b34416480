/**
 * What a document of the endpoints runtime does to the addresses of the versions that run. A version that is not listed
 * any more may be an accident: where traffic relies on it the document is refused (rule 7). `addresses: []` is an order:
 * it is done, and what it does is said.
 */
import type { EndpointsRuntimeSpec, RuntimeSpec } from '../model/spec.ts';
import { isActive, type ServiceRecord, type VersionRecord } from '../model/state.ts';

/** Where a spec says that the addresses of a version are. */
type Source =
  | { readonly kind: 'Spec'; readonly count: number }
  | { readonly kind: 'File'; readonly file: string }
  | { readonly kind: 'Nowhere' };

/** Why traffic needs a version: what is so, what it comes to without addresses, and how to end it. */
interface Reliance {
  readonly is: string;
  readonly comesTo: string;
  readonly toEndIt: string;
}

/** Why the document is refused: the versions that it forgets and traffic relies on. Undefined: it forgets none. */
export function forgottenAddresses(before: ServiceRecord, after: RuntimeSpec): string | undefined {
  const reasons = addressChanges(before, after).flatMap(({ version, to }) => {
    const reliances = reliancesOn(before, version);
    if (to.kind !== 'Nowhere' || reliances.length === 0) return [];
    const because = reliances.map(({ is }) => is).join(' and ');
    const ends = reliances.map(({ toEndIt }) => toEndIt).join(' and ');
    return [
      `${version.name} is no longer listed, but ${because}: list it, or write "addresses: []" for it to drop its addresses all the same, or first ${ends}`,
    ];
  });
  return reasons.length === 0 ? undefined : `spec.runtime.endpoints.versions: ${reasons.join('; ')}`;
}

/** What happens to versions whose addresses the document takes away, one sentence each. */
export function addressEffects(before: ServiceRecord, after: RuntimeSpec): readonly string[] {
  return addressChanges(before, after).flatMap(({ version, from, to }) => {
    if (!isActive(version.state)) return [];
    switch (to.kind) {
      case 'Nowhere':
        return [`${version.name} loses all its addresses: pins on it get 503 (retire it instead)`];
      case 'File':
        if (from.kind === 'File') return [];
        return [
          `${version.name} is listed by ${to.file} alone from now on; its last addresses stay in use until that lists it`,
        ];
      case 'Spec': {
        if (to.count > 0) return [];
        const comesTo = [
          ...reliancesOn(before, version).map((reliance) => reliance.comesTo),
          'pins on it get 503',
        ];
        return [`${version.name} loses all its addresses: ${comesTo.join('; ')}`];
      }
    }
  });
}

interface AddressChange {
  readonly version: VersionRecord;
  readonly from: Exclude<Source, { kind: 'Nowhere' }>;
  readonly to: Source;
}

/** The versions that may have addresses now and are not going anyway, with where their addresses will be. */
function addressChanges({ spec, versions }: ServiceRecord, after: RuntimeSpec): readonly AddressChange[] {
  const { runtime } = spec;
  if (runtime.kind !== 'endpoints' || after.kind !== 'endpoints') return [];
  return versions.flatMap((version) => {
    const from = sourceOf(runtime, version);
    if (from.kind === 'Nowhere' || (from.kind === 'Spec' && from.count === 0)) return [];
    if (version.state === 'Retired' || version.retirement !== undefined) return [];
    return [{ version, from, to: sourceOf(after, version) }];
  });
}

function sourceOf({ versions, file }: EndpointsRuntimeSpec, { name }: VersionRecord): Source {
  const listed = versions.find((version) => version.name === name);
  if (listed !== undefined) return { kind: 'Spec', count: listed.addresses.length };
  return file === undefined ? { kind: 'Nowhere' } : { kind: 'File', file };
}

function reliancesOn({ traffic, holds }: ServiceRecord, { name }: VersionRecord): readonly Reliance[] {
  if (traffic.kind === 'none') return [];
  const reliances: Reliance[] = [];
  if (traffic.primary === name) {
    const share = traffic.kind === 'shifting' ? `its ${100 - traffic.weight}% of the ` : '';
    reliances.push({
      is: 'it is the primary',
      comesTo: `${share}default traffic gets 503`,
      toEndIt: 'flip to another version',
    });
  }
  if (traffic.kind === 'shifting' && traffic.candidate === name) {
    reliances.push({
      is: `it gets ${traffic.weight}% of the default traffic`,
      comesTo: `its ${traffic.weight}% of the default traffic goes back to ${traffic.primary}`,
      toEndIt: 'set its weight to 0',
    });
  }
  if (traffic.previous === name) {
    reliances.push({
      is: 'it is the target of a rollback',
      comesTo: 'a rollback to it would be refused',
      toEndIt: 'retire it with --give-up-rollback',
    });
  }
  const held = holds.filter((hold) => hold.version === name).map(({ tenant }) => tenant);
  if (held.length > 0) {
    reliances.push({
      is: `${held.length} tenant(s) are held on it (${someOf(held)})`,
      comesTo: `${held.length} held tenant(s) get 503`,
      toEndIt: 'release them',
    });
  }
  return reliances;
}

/** A list that stays readable: the first few names, and how many more there are. */
function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
